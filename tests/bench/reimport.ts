import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { prepareData } from "../../deploy/data/prepare-data.ts";
import { forgetPeakMemory, peakMemoryMb } from "../../jobs/training/peak-memory.ts";
import { loadConfig } from "../../services/config.ts";
import { startRedis } from "../support/redis.ts";
import { spawnServer } from "../support/serving-process.ts";
import { quantile } from "./quantile.ts";
import { writeRatings } from "./ratings-file.ts";

/**
 * npm run bench:reimport [-- --rows 20000000]
 * Imports a generated ratings.csv into an installation with Redis, then another one with other ratings, which replaces the
 * first: seconds and CPU seconds of each, peak memory of the importing process, and how an API answered meanwhile.
 */
const { values } = parseArgs({ options: { rows: { type: "string", default: "20000000" } } });
const rows = Number(values.rows);
const ASK_EVERY_MS = 20;
const KEY = "a key for the bench";

const folder = await mkdtemp(join(tmpdir(), "phasewise-reimport-"));
const redis = await startRedis();
const file = join(folder, "ratings.csv");
const config = loadConfig({}, { dataFolder: file, stateFolder: join(folder, "home"), redisUrl: redis.url });
const api = await spawnServer({
  REDIS_URL: redis.url,
  PHASEWISE_HOME: join(folder, "home"),
  PHASEWISE_ADMIN_KEY: KEY,
});
try {
  for (const [salt, what] of ["first import", "re-import"].entries()) {
    await writeRatings(file, rows, salt + 1);
    forgetPeakMemory();
    const answered = asking(api.url);
    const cpuBefore = process.cpuUsage();
    const start = performance.now();
    let said = 0;
    const { lines } = await prepareData(config, { cut: null, say: () => said++ });
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(cpuBefore);
    const { times, failures } = await answered.end();
    console.log(
      `${what}: ${rows.toLocaleString("en")} rows in ${seconds.toFixed(1)} s (${((user + system) / 1e6).toFixed(1)} s of CPU, peak ${Math.round(peakMemoryMb())} MB, ${said} lines of progress); ` +
        `the API answered ${times.length} requests, p50 ${quantile(times, 0.5).toFixed(1)} ms, p99 ${quantile(times, 0.99).toFixed(1)} ms, ${failures} failed`,
    );
    console.log(`  ${lines.at(-1)}`);
  }
} finally {
  api.process.kill("SIGTERM");
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
}

/** Sends feedback, which Redis has to take, one request after the other, until told to stop. */
function asking(url: string) {
  const times: number[] = [];
  let [failures, stopped] = [0, false];
  const asked = (async () => {
    for (let user = 1; !stopped; user++) {
      const start = performance.now();
      const event = {
        eventId: `bench-${start}-${user}`,
        userId: `visitor-${user}`,
        itemId: "1",
        type: "watch",
      };
      const reply = await fetch(`${url}/feedback`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${KEY}` },
        body: JSON.stringify({ events: [event] }),
      }).catch(() => null);
      if (reply?.status === 202) times.push(performance.now() - start);
      else failures++;
      await reply?.arrayBuffer();
      await pause(ASK_EVERY_MS);
    }
  })();
  return {
    async end() {
      stopped = true;
      await asked;
      return { times: times.sort((a, b) => a - b), failures };
    },
  };
}
