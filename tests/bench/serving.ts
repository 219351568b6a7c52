/**
 * Requests a second and latency of /recommend over the whole stack: a server process, a real Redis, and a
 * synthetic catalogue. Run: node dist/tests/bench/serving.js [items] [seconds] [recipe]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import autocannon from "autocannon";
import { connectRedis } from "../../services/redis.ts";
import { startRedis } from "../support/redis.ts";
import { raiseSyntheticWorld, USERS } from "./synthetic-world.ts";

const ITEMS = Number(process.argv[2] ?? 10_000);
const SECONDS = Number(process.argv[3] ?? 8);
const RECIPE = process.argv[4] ?? "popular-lately";

const redis = await startRedis();
const folder = await mkdtemp(join(tmpdir(), "phasewise-bench-"));
const client = connectRedis({ redisUrl: redis.url }, "patient", () => {});
await raiseSyntheticWorld(folder, client, { items: ITEMS, recipe: RECIPE });

const KEY = "a key for benchmarks only";
const headers = { authorization: `Bearer ${KEY}` };
const spawnedAt = performance.now();
const server = spawn(
  process.execPath,
  [fileURLToPath(new URL("../../services/serving/server.js", import.meta.url))],
  {
    env: {
      ...process.env,
      PORT: "0",
      REDIS_URL: redis.url,
      PHASEWISE_HOME: folder,
      PHASEWISE_ADMIN_KEY: KEY,
    },
    stdio: ["ignore", "ignore", "pipe"],
  },
);
let url = "";
for await (const line of createInterface({ input: server.stderr })) {
  const entry = JSON.parse(line) as { msg: string; url?: string };
  if (entry.msg !== "listening" || entry.url === undefined) continue;
  url = entry.url;
  break;
}
server.stderr.resume();
const listeningMs = performance.now() - spawnedAt;
while ((await fetch(`${url}/readyz`)).status !== 200);
console.log(
  `${RECIPE}, ${ITEMS} items: listening ${Math.round(listeningMs)} ms after spawn, ready ${Math.round(performance.now() - spawnedAt)} ms`,
);

/** CPU milliseconds the server has used: unlike latency, hardly a matter of what else the machine does. */
async function cpuMs(): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return 1000 * Number(/^phasewise_process_cpu_seconds_total (\S+)/m.exec(text)?.[1]);
}

const cases = [
  { name: "/recommend?userId (stored history)", path: (n: number) => `/recommend?userId=u${n % USERS}` },
  { name: "/recommend (nobody)", path: () => "/recommend" },
  { name: "/healthz (the frame alone)", path: () => "/healthz" },
];
for (const connections of [1, 10]) {
  for (const { name, path } of cases) {
    const requests = Array.from({ length: USERS }, (_, n) => ({
      method: "GET" as const,
      path: path(n),
      headers,
    }));
    await autocannon({ url, connections, duration: 2, requests });
    const cpuBefore = await cpuMs();
    const result = await autocannon({ url, connections, duration: SECONDS, requests });
    const cpuPerRequest = ((await cpuMs()) - cpuBefore) / result.requests.total;
    const { p50, p99 } = result.latency;
    console.log(
      `${connections} connections  ${name.padEnd(36)} ${Math.round(result.requests.average)} requests/s  p50 ${p50} ms  p99 ${p99} ms  CPU ${cpuPerRequest.toFixed(2)} ms/request  not 2xx ${result.non2xx}`,
    );
  }
}

server.kill("SIGTERM");
await once(server, "exit");
client.disconnect();
await redis.stop();
await rm(folder, { recursive: true, force: true });
