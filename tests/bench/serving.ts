/**
 * Requests a second and latency of /recommend over the whole stack: a server process, a real Redis, and a
 * synthetic catalogue. Run: node dist/tests/bench/serving.js [items] [seconds] [recipe]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import autocannon from "autocannon";
import { type ItemId, itemId, userId } from "../../models/data/ids.ts";
import type { Catalogue, InteractionLog } from "../../models/data/interaction-log.ts";
import { trainingSet } from "../../models/data/interaction-matrix.ts";
import { seededRandom } from "../../models/data/random.ts";
import { Vocabulary } from "../../models/data/vocabulary.ts";
import { fitModel } from "../../models/model.ts";
import { folderArtifactStore } from "../../services/artifacts/folder-store.ts";
import { redisEventLog } from "../../services/interactions/event-log.ts";
import { connectRedis } from "../../services/redis.ts";
import { redisRegistry } from "../../services/registry/registry.ts";
import { manifestOf } from "../services/serving/small-world.ts";
import { startRedis } from "../support/redis.ts";

const ITEMS = Number(process.argv[2] ?? 10_000);
const SECONDS = Number(process.argv[3] ?? 8);
const RECIPE = process.argv[4] ?? "popular-lately";
const USERS = 500;
const EVENTS_PER_USER = 60;

/** Every item once, then Zipf-like draws. */
function syntheticLog(): InteractionLog {
  const random = seededRandom(1);
  const events = ITEMS + USERS * EVENTS_PER_USER;
  const item = (event: number): number =>
    event < ITEMS ? event : Math.floor(ITEMS ** random.next()) % ITEMS;
  return {
    users: new Vocabulary(Array.from({ length: USERS }, (_, index) => userId(`u${index}`))),
    items: new Vocabulary(Array.from({ length: ITEMS }, (_, index) => itemId(`i${index}`))),
    userIndex: Uint32Array.from({ length: events }, (_, event) => event % USERS),
    itemIndex: Uint32Array.from({ length: events }, (_, event) => item(event)),
    timestamps: Float64Array.from({ length: events }, (_, event) => 1.7e12 + event * 60_000),
    weights: new Float32Array(events).fill(1),
  };
}

const redis = await startRedis();
const folder = await mkdtemp(join(tmpdir(), "phasewise-bench-"));
const client = connectRedis(redis.url, "patient", () => {});
const log = syntheticLog();
const catalogue: Catalogue = new Map<ItemId, { title: string; genres: string[] }>(
  log.items.ids.map((id, index) => [
    id,
    { title: `Film ${index}`, genres: [index % 3 ? "Drama" : "Comedy"] },
  ]),
);
await mkdir(join(folder, "snapshot"));
const rows = Array.from(catalogue, ([id, info]) => ({ itemId: id, ...info }));
await writeFile(join(folder, "snapshot", "catalogue.json"), JSON.stringify(rows));
const events = redisEventLog(client);
for (let user = 0; user < USERS; user++) {
  const history = Array.from({ length: EVENTS_PER_USER }, (_, index) => ({
    eventId: `e${user}-${index}`,
    userId: userId(`u${user}`),
    itemId: itemId(`i${(user * 31 + index * 7) % ITEMS}`),
    type: "watch",
  }));
  await events.append(history, Date.now());
}

const store = folderArtifactStore(join(folder, "artifacts"));
const registry = redisRegistry(client);
let expectedLive: string | null = null;
for (const recipe of new Set(["popularity", RECIPE])) {
  const { model } = await fitModel(recipe, trainingSet(log, catalogue), {}, { seed: 1 });
  const { manifest, manifestSha256 } = await store.write(model, (file) => manifestOf(model, file));
  const { version } = await registry.register(manifest, manifestSha256, "bench");
  await registry.promote({ version, expectedLive, reason: "bench", actor: "bench", force: true });
  expectedLive = version;
}

const spawnedAt = performance.now();
const server = spawn(
  process.execPath,
  [fileURLToPath(new URL("../../services/serving/server.js", import.meta.url))],
  {
    env: { ...process.env, PORT: "0", REDIS_URL: redis.url, PHASEWISE_HOME: folder },
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
    const requests = Array.from({ length: USERS }, (_, n) => ({ method: "GET" as const, path: path(n) }));
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
