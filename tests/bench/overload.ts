/**
 * Twice the capacity, open loop: clients that do not wait for each other, as on the internet. Prints the capacity of
 * one API process, then what is answered, refused and lost at twice that rate, and how soon all is well afterwards; the
 * capacity before and after each flood, since other programs share the machine. A reply's time is counted from the moment
 * at which its request was due, so that it includes what the client itself was late by, which is printed as well. Cold:
 * each list is ranked, from a history read from Redis. Warm: lists are remembered, so that an answer costs hardly more
 * than a refusal, which Node's HTTP parser makes no cheaper than a quarter of it.
 * Run: npm run bench:overload [-- items] [seconds] [recipe] [rounds]
 */
import { readFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { connectRedis } from "../../services/redis.ts";
import { startService } from "../support/service.ts";
import { type LoadProcess, type Reply, startLoad } from "./load.ts";
import { quantile } from "./quantile.ts";
import { raiseSyntheticWorld, USERS } from "./synthetic-world.ts";

const ITEMS = Number(process.argv[2] ?? 10_000);
const SECONDS = Number(process.argv[3] ?? 10);
const RECIPE = process.argv[4] ?? "als";
const ROUNDS = Number(process.argv[5] ?? 3);
const CLIENTS = 10;
/** More than the service remembers histories of. */
const COLD_USERS = 20_000;
/** Left out at the start of the overload: connections are opened, and the service learns its limit. */
const SETTLING_SECONDS = 2;
/** Of the capacity, once the overload is over. */
const CALM_SHARE = 0.2;

const percent = (part: number, whole: number): string =>
  `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`;
const ms = (values: readonly number[], share: number): string => `${quantile(values, share).toFixed(0)} ms`;
const tookMs = (replies: readonly Reply[]): number[] => replies.map(({ tookMs }) => tookMs);

const service = await startService({ shadow: { samplingRate: 0 } });
const redis = connectRedis({ redisUrl: service.redis.url }, "patient", () => {});
await raiseSyntheticWorld(service.home, redis, { items: ITEMS, recipe: RECIPE, moreUsers: COLD_USERS });
redis.disconnect();
const { url, process: api } = await service.startApi();
while ((await fetch(`${url}/readyz`)).status !== 200);
const authorization = `Bearer ${service.key}`;

interface ProcessorMs {
  readonly ran: number;
  readonly waited: number;
}

/** Milliseconds that the service's thread had a processor, and waited for one, so far; Linux only. */
async function processorMs(): Promise<ProcessorMs> {
  const text = await readFile(`/proc/${api.pid}/task/${api.pid}/schedstat`, "utf8");
  const [ran, waited] = text.split(" ").map((ns) => Number(ns) / 1e6);
  return { ran, waited };
}

async function capacityOf(load: LoadProcess): Promise<number> {
  const before = await processorMs();
  const replies = await load.closed(CLIENTS, SECONDS);
  const after = await processorMs();
  const good = replies.filter(({ status }) => status === 200);
  const perSecond = good.length / SECONDS;
  console.log(
    `  capacity, ${CLIENTS} clients that wait: ${perSecond.toFixed(0)} requests/s, p99 ${ms(tookMs(good), 0.99)}, not 200: ${replies.length - good.length}; ${((1000 * (after.ran - before.ran)) / good.length).toFixed(0)} µs each of a processor, which it had ${share(before, after)} of the time that it wanted one`,
  );
  return perSecond;
}

function share(before: ProcessorMs, after: ProcessorMs): string {
  const ran = after.ran - before.ran;
  return percent(ran, ran + after.waited - before.waited);
}

async function round(load: LoadProcess): Promise<{
  readonly goodput: number;
  readonly p99: number;
  readonly recovered: number;
}> {
  const before = await capacityOf(load);
  const idle = await processorMs();
  const flood = (await load.open(2 * before, SETTLING_SECONDS + SECONDS)).filter(
    ({ dueMs }) => dueMs >= SETTLING_SECONDS * 1000,
  );
  const flooded = await processorMs();
  const calm = await load.open(CALM_SHARE * before, 5);
  const capacity = (before + (await capacityOf(load))) / 2;

  const answered = flood.filter(({ status }) => status === 200);
  const refused = flood.filter(({ status }) => status === 503);
  const lateness = flood.map(({ dueMs, sentMs }) => sentMs - dueMs);
  const goodput = answered.length / SECONDS / capacity;
  const unwell = calm.filter(({ status, tookMs }) => status !== 200 || tookMs > 200);
  const recovered = Math.max(0, ...unwell.map(({ dueMs }) => dueMs));
  const p99 = quantile(tookMs(answered), 0.99);
  console.log(`  offered ${(flood.length / SECONDS).toFixed(0)} requests/s, ${(flood.length / SECONDS / capacity).toFixed(2)} times the mean capacity; the client was late by ${ms(lateness, 0.5)} (p50), ${ms(lateness, 0.99)} (p99)
  goodput ${(answered.length / SECONDS).toFixed(0)} requests/s, ${(100 * goodput).toFixed(1)} % of the capacity; a processor ${share(idle, flooded)} of the time that it wanted one
  accepted p50 ${ms(tookMs(answered), 0.5)}, p99 ${p99.toFixed(0)} ms
  refused ${percent(refused.length, flood.length)}, of them with Retry-After ${percent(refused.filter(({ retryAfter }) => retryAfter).length, refused.length)}, p99 ${ms(tookMs(refused), 0.99)}; neither answered nor refused: ${flood.length - answered.length - refused.length}
  recovered after ${recovered.toFixed(0)} ms; ${unwell.length} of ${calm.length} calm requests refused or over 200 ms`);
  return { goodput, p99, recovered };
}

console.log(`${RECIPE}, ${ITEMS} items, ${ROUNDS} rounds; the machine's load is ${loadavg()[0].toFixed(1)}`);
const median = (values: readonly number[]): number => quantile(values, 0.5);
for (const [kind, whom] of [
  ["cold", { users: COLD_USERS, called: "c" }],
  ["warm", { users: USERS }],
] as const) {
  const load = startLoad({ url, authorization, ...whom });
  await load.closed(CLIENTS, 3);
  const rounds: Awaited<ReturnType<typeof round>>[] = [];
  for (let n = 1; n <= ROUNDS; n++) {
    console.log(`${kind}, round ${n}`);
    rounds.push(await round(load));
  }
  console.log(
    `medians, ${kind}: goodput ${(100 * median(rounds.map(({ goodput }) => goodput))).toFixed(0)} % of the capacity (goal: 80 %), accepted p99 ${median(rounds.map(({ p99 }) => p99)).toFixed(0)} ms (goal: 200 ms), recovered after ${median(rounds.map(({ recovered }) => recovered)).toFixed(0)} ms (goal: 2000 ms)`,
  );
  load.stop();
}
await service.stop();
