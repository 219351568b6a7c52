/**
 * Half the capacity for as long as is asked, while an operator trains, promotes and rolls back, and one attacker does all
 * he can think of. Prints, every ten seconds, what the others got and what the service weighs; at the end who moved the
 * live version. Ends with exit code 1 where somebody else got a 5xx, or moved it.
 * Run: npm run bench:soak [-- --minutes 20] [--rate requests a second, instead of half the capacity]
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { apiClient } from "../../deploy/client/api-client.ts";
import { followJob } from "../../deploy/client/follow-job.ts";
import { prepareData } from "../../deploy/data/prepare-data.ts";
import type { RetrainResult } from "../../jobs/training/retrain.ts";
import { connectRedis } from "../../services/redis.ts";
import { redisRegistry } from "../../services/registry/registry.ts";
import { type Running, startService } from "../support/service.ts";
import { writeSmallData } from "../support/small-data.ts";
import { startLoad } from "./load.ts";
import { quantile } from "./quantile.ts";
import { operate } from "./soak/operator.ts";

const { values } = parseArgs({ options: { minutes: { type: "string" }, rate: { type: "string" } } });
const minutes = Number(values.minutes ?? 20);
const LOOK_SECONDS = 10;
const OPERATE_EVERY_MS = 10_000;
const USERS = 200;
const ATTACKER = "127.0.0.66";
/** What moves the live version, in the audit. */
const MOVES: readonly string[] = ["promote", "force-promote", "rollback"];

const service = await startService({ schedule: { judgeEverySeconds: 10 } });
const folder = await writeSmallData(service.home, { users: 400, items: 150, events: 12_000 });
await prepareData({ ...service.config, dataFolder: folder }, { cut: null, say: () => {} });
const api = await service.startApi();
const worker = await service.startWorker();
const client = apiClient(api.url, service.key);
const { jobId } = await client.post<{ jobId: string }>("/retrain", { phase: 1, recipe: "popularity" });
const floor = ((await followJob(client, jobId)).result as RetrainResult).version;
await client.post(`/models/${floor}/promote`, { expectedLive: null, reason: "the floor" });

const authorization = `Bearer ${service.key}`;
const load = startLoad({ url: api.url, authorization, users: USERS });
await load.closed(10, 2);
const capacity = (await load.closed(10, 5)).filter(({ status }) => status === 200).length / 5;
const perSecond = Number(values.rate ?? capacity / 2);
console.log(
  `${minutes} minutes at ${perSecond.toFixed(0)} of ${capacity.toFixed(0)} requests/s; the machine's load is ${loadavg()[0].toFixed(1)}`,
);

const megabytes = async ({ process: { pid } }: Running): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024;
};
const loopP99Ms = async (): Promise<number> => {
  const reply = await fetch(`${api.url}/metrics`, { headers: { authorization } });
  return 1000 * Number(/^phasewise_nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(await reply.text())?.[1]);
};

const statuses: Record<string, number> = {};
const count = (status: number | string): void => {
  statuses[status] = (statuses[status] ?? 0) + 1;
};
let running = true;
/** An honest back end: ten events a second. */
const feedback = (async () => {
  for (let n = 0; running; n++) {
    const events = Array.from({ length: 5 }, (_, at) => ({
      eventId: `honest-${n}-${at}`,
      userId: `u${(5 * n + at) % USERS}`,
      itemId: String(1 + ((n + 31 * at) % 150)),
      type: "watch",
    }));
    const reply = await fetch(`${api.url}/feedback`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization },
      body: JSON.stringify({ events }),
    });
    await reply.arrayBuffer();
    count(`feedback ${reply.status}`);
    await pause(500);
  }
})();
const operator = operate(api.url, service.key, OPERATE_EVERY_MS, () => !running);
const attacker = fork(fileURLToPath(new URL("./soak/attacker.js", import.meta.url)), [api.url, ATTACKER]);

const weights: number[] = [];
const lags: number[] = [];
for (let second = 0; second < 60 * minutes; second += LOOK_SECONDS) {
  const replies = await load.open(perSecond, LOOK_SECONDS);
  for (const { status } of replies) count(status);
  const tookMs = replies.filter(({ status }) => status === 200).map(({ tookMs }) => tookMs);
  const [served, trained, lagMs] = await Promise.all([megabytes(api), megabytes(worker), loopP99Ms()]);
  weights.push(served);
  lags.push(lagMs);
  console.log(
    `${String(second + LOOK_SECONDS).padStart(5)} s: ${tookMs.length} of ${replies.length} answered 200, p50 ${quantile(tookMs, 0.5).toFixed(0)} ms, p99 ${quantile(tookMs, 0.99).toFixed(0)} ms; API ${served.toFixed(0)} MB, worker ${trained.toFixed(0)} MB; event loop p99 ${lagMs.toFixed(0)} ms`,
  );
}
running = false;
const told = once(attacker, "message");
attacker.kill("SIGTERM");
const [got] = (await told) as [Record<string, Record<string, number>>];
await feedback;
const deeds = await operator;
load.stop();

const redis = connectRedis(service.config, "patient", () => {});
const registry = redisRegistry(redis);
const moves = (await registry.audit(100_000)).filter(({ action }) => MOVES.includes(action));
const movers: Record<string, number> = {};
for (const { actor, action } of moves) {
  movers[`${action} by ${actor}`] = (movers[`${action} by ${actor}`] ?? 0) + 1;
}
const broken = await registry.verifyAudit();
redis.disconnect();
await service.stop();

const half = weights.slice(Math.floor(weights.length / 2));
const first = weights.slice(0, Math.max(1, weights.length - half.length));
console.log(`
others, by status (0: no answer): ${JSON.stringify(statuses)}
RSS of the API: ${quantile(first, 0.5).toFixed(0)} MB in the first half, ${quantile(half, 0.5).toFixed(0)} MB in the second, at most ${Math.max(...weights).toFixed(0)} MB
event loop p99: median ${quantile(lags, 0.5).toFixed(0)} ms, at most ${Math.max(...lags).toFixed(0)} ms
operator: ${deeds.retrains} retrains, ${deeds.promotions} promotions, ${deeds.rollbacks} rollbacks; refused: ${deeds.failed.length} ${deeds.failed[0] ?? ""}
moves of the live version: ${JSON.stringify(movers)}; the audit chain ${broken === null ? "verifies" : `is broken at ${broken}`}
the attacker got:`);
for (const [what, outcomes] of Object.entries(got)) console.log(`  ${what}: ${JSON.stringify(outcomes)}`);
const failures = Object.entries(statuses).filter(([status]) => /^(feedback )?(5\d\d|0)$/.test(status));
const strangers = Object.keys(movers).filter((mover) => !mover.endsWith("by operator"));
if (failures.length > 0 || strangers.length > 0 || broken !== null) process.exitCode = 1;
