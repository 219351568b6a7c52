/**
 * What the shadow costs a request: /recommend with the shadow off, on (a worker asks two models again), hung (the
 * worker is stopped, its queue grows) and with Redis dead. Installations side by side, asked in turn in short rounds,
 * so that whatever else the machine does falls on all of them alike; off is there twice, to show what chance does.
 * Run: npm run bench:shadow [-- rounds] [requests a round]
 */
import { Agent, get } from "node:http";
import { Queue } from "bullmq";
import { QUEUES } from "../../services/queues/types.ts";
import { connectRedis } from "../../services/redis.ts";
import { type Service, startService } from "../support/service.ts";
import { quantile } from "./quantile.ts";
import { raiseSyntheticWorld, USERS } from "./synthetic-world.ts";

const ROUNDS = Number(process.argv[2] ?? 60);
const REQUESTS = Number(process.argv[3] ?? 500);
const ITEMS = 10_000;

interface Condition {
  readonly name: string;
  readonly service: Service;
  readonly url: string;
  /** Milliseconds, of every request. */
  readonly times: number[];
  refused: number;
  /** Resident memory of the API process before the first round and after the last, MB. */
  readonly memoryMb: number[];
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** Bytes of the reply are read; resolves to its status. */
function ask(url: string, key: string): Promise<number> {
  const headers = { authorization: `Bearer ${key}` };
  return new Promise((resolve, reject) => {
    get(url, { agent, headers }, (reply) => {
      reply.resume().once("end", () => resolve(reply.statusCode ?? 0));
    }).once("error", reject);
  });
}

async function gauge(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)`, "m").exec(text)?.[1]);
}

const memoryMb = async ({ url }: Condition): Promise<number> =>
  (await gauge(url, "phasewise_process_resident_memory_bytes")) / 1e6;

async function start(
  name: string,
  samplingRate: number,
  worker: "none" | "runs" | "stops",
): Promise<Condition> {
  const service = await startService({
    // The watch over the live version asks everything again, for as long as the benchmark takes.
    shadow: { samplingRate, requestsPerUser: 1_000_000 },
    rollback: { watchUsers: 1_000_000 },
    schedule: { judgeEverySeconds: 1 },
  });
  const redis = connectRedis({ redisUrl: service.redis.url }, "patient", () => {});
  await raiseSyntheticWorld(service.home, redis, { items: ITEMS, recipe: "popular-lately" });
  const { url } = await service.startApi();
  while ((await fetch(`${url}/readyz`)).status !== 200);
  if (worker !== "none") {
    const running = await service.startWorker();
    while ((await redis.scard("shadow:open")) === 0);
    if (worker === "stops") running.process.kill("SIGSTOP");
  }
  redis.disconnect();
  return { name, service, url, times: [], refused: 0, memoryMb: [] };
}

let asked = 0;

async function round(condition: Condition, keep: boolean): Promise<void> {
  for (let n = 0; n < REQUESTS; n++) {
    const startedAt = performance.now();
    const status = await ask(`${condition.url}/recommend?userId=u${asked++ % USERS}`, condition.service.key);
    if (!keep) continue;
    condition.times.push(performance.now() - startedAt);
    if (status !== 200) condition.refused++;
  }
}

const conditions = [
  await start("off", 0, "none"),
  await start("off again", 0, "none"),
  await start("on", 1, "runs"),
  await start("worker hung", 1, "stops"),
  await start("Redis dead", 1, "none"),
];
for (const condition of conditions) for (let n = 0; n < 4; n++) await round(condition, false);
await conditions[4].service.redis.kill();
for (const condition of conditions) {
  await round(condition, false);
  condition.memoryMb.push(await memoryMb(condition));
}
for (let n = 0; n < ROUNDS; n++) {
  // Each comes first, second, … equally often: the cost of following another is shared too.
  const shift = n % conditions.length;
  for (const condition of [...conditions.slice(shift), ...conditions.slice(0, shift)]) {
    await round(condition, true);
  }
}
for (const condition of conditions) condition.memoryMb.push(await memoryMb(condition));

const [off] = conditions;
console.log(
  `/recommend, ${ITEMS} items, one connection, ${ROUNDS} interleaved rounds of ${REQUESTS} requests each`,
);
for (const {
  name,
  times,
  refused,
  memoryMb: [before, after],
} of conditions) {
  const figures = [0.5, 0.99].map((share) => {
    const own = quantile(times, share);
    const base = quantile(off.times, share);
    return `p${100 * share} ${own.toFixed(2)} ms (${(own / base).toFixed(2)} ×, ${(own - base).toFixed(2)} ms)`;
  });
  console.log(
    `${name.padEnd(12)} ${figures.join("  ")}  RSS ${before.toFixed(0)} → ${after.toFixed(0)} MB  not 200: ${refused}`,
  );
}
for (const { name, service } of conditions.slice(2, 4)) {
  const queue = new Queue(QUEUES.shadow, { connection: { url: service.redis.url } });
  const { waiting, active, completed } = await queue.getJobCounts();
  const client = connectRedis({ redisUrl: service.redis.url }, "patient", () => {});
  const used = Number(/used_memory:(\d+)/.exec(await client.info("memory"))?.[1]) / 1e6;
  console.log(
    `${name.padEnd(12)} shadow batches waiting ${waiting}, active ${active}, done ${completed}; Redis ${used.toFixed(0)} MB`,
  );
  client.disconnect();
  await queue.close();
}
agent.destroy();
for (const { service } of conditions) await service.stop();
