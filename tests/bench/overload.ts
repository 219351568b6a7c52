/**
 * Twice the capacity, open loop: clients that do not wait for each other, as on the internet. Prints the capacity of
 * one API process, then what is answered, refused and lost at twice that rate, and how soon all is well afterwards.
 * Run: npm run bench:overload [-- items] [seconds] [recipe]
 */
import { Agent, get } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import autocannon from "autocannon";
import { seededRandom } from "../../models/data/random.ts";
import { connectRedis } from "../../services/redis.ts";
import { startService } from "../support/service.ts";
import { quantile } from "./quantile.ts";
import { raiseSyntheticWorld, USERS } from "./synthetic-world.ts";

const ITEMS = Number(process.argv[2] ?? 10_000);
const SECONDS = Number(process.argv[3] ?? 10);
const RECIPE = process.argv[4] ?? "als";
/** Left out at the start of the overload: sockets are opened, and the lag is a mean over a second. */
const SETTLING_SECONDS = 2;
/** Of the capacity, once the overload is over. */
const CALM_SHARE = 0.2;

interface Reply {
  /** Milliseconds of this phase at which it was due, and was sent. */
  readonly dueMs: number;
  readonly sentMs: number;
  readonly status: number;
  readonly retryAfter: boolean;
  /** From due to the last byte: what waited for its turn in the client waited too. */
  readonly tookMs: number;
}

const service = await startService({ shadow: { samplingRate: 0 } });
const redis = connectRedis({ redisUrl: service.redis.url }, "patient", () => {});
await raiseSyntheticWorld(service.home, redis, { items: ITEMS, recipe: RECIPE });
redis.disconnect();
const { url } = await service.startApi();
while ((await fetch(`${url}/readyz`)).status !== 200);

const agent = new Agent({ keepAlive: true, maxSockets: 2000 });
const headers = { authorization: `Bearer ${service.key}` };
const random = seededRandom(1);

function ask(path: string, dueMs: number, startedAt: number): Promise<Reply> {
  const sentMs = performance.now() - startedAt;
  return new Promise((resolve) => {
    const done = (status: number, retryAfter: boolean): void => {
      resolve({ dueMs, sentMs, status, retryAfter, tookMs: performance.now() - startedAt - dueMs });
    };
    get(`${url}${path}`, { agent, headers }, (reply) => {
      reply
        .resume()
        .once("end", () => done(reply.statusCode ?? 0, reply.headers["retry-after"] !== undefined));
    }).once("error", () => done(0, false));
  });
}

/** Poisson arrivals: each is sent when it is due, whatever became of the others. */
async function openLoop(perSecond: number, seconds: number): Promise<Reply[]> {
  const replies: Promise<Reply>[] = [];
  const startedAt = performance.now();
  let dueMs = 0;
  for (let n = 0; dueMs < seconds * 1000; n++) {
    const aheadMs = dueMs - (performance.now() - startedAt);
    if (aheadMs > 1) await pause(aheadMs);
    replies.push(ask(`/recommend?userId=u${n % USERS}`, dueMs, startedAt));
    dueMs += (-Math.log(1 - random.next()) * 1000) / perSecond;
  }
  return Promise.all(replies);
}

const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;

const requests = Array.from({ length: USERS }, (_, n) => ({
  method: "GET" as const,
  path: `/recommend?userId=u${n}`,
  headers,
}));
await autocannon({ url, connections: 10, duration: 3, requests });
const closed = await autocannon({ url, connections: 10, duration: SECONDS, requests });
const capacity = closed["2xx"] / closed.duration;
console.log(
  `${RECIPE}, ${ITEMS} items: capacity, ten clients that wait: ${capacity.toFixed(0)} requests/s, p99 ${closed.latency.p99} ms, not 2xx ${closed.non2xx}`,
);

const flood = (await openLoop(2 * capacity, SETTLING_SECONDS + SECONDS)).filter(
  ({ dueMs }) => dueMs >= SETTLING_SECONDS * 1000,
);
const floodEnded = performance.now();
const answered = flood.filter(({ status }) => status === 200);
const refused = flood.filter(({ status }) => status === 503);
const lost = flood.length - answered.length - refused.length;
const lateness = flood.map(({ dueMs, sentMs }) => sentMs - dueMs);
console.log(
  `offered ${(flood.length / SECONDS).toFixed(0)} requests/s; the client itself was late by ${quantile(lateness, 0.5).toFixed(1)} ms (p50), ${quantile(lateness, 0.99).toFixed(0)} ms (p99)`,
);
console.log(
  `goodput ${(answered.length / SECONDS).toFixed(0)} requests/s, ${percent(answered.length / SECONDS, capacity)} of the capacity (goal: 80 %)`,
);
const accepted = answered.map(({ tookMs }) => tookMs);
console.log(
  `accepted p50 ${quantile(accepted, 0.5).toFixed(0)} ms, p99 ${quantile(accepted, 0.99).toFixed(0)} ms (goal: 200 ms)`,
);
const polite = refused.filter(({ retryAfter }) => retryAfter).length;
console.log(
  `refused with 503: ${percent(refused.length, flood.length)}, of them with Retry-After ${percent(polite, Math.max(1, refused.length))}, p99 ${quantile(
    refused.map(({ tookMs }) => tookMs),
    0.99,
  ).toFixed(0)} ms; neither answered nor refused: ${lost}`,
);

const gapMs = performance.now() - floodEnded;
const calm = await openLoop(CALM_SHARE * capacity, 5);
const unwell = calm.filter(({ status, tookMs }) => status !== 200 || tookMs > 200);
const recovered = unwell.length === 0 ? gapMs : gapMs + Math.max(...unwell.map(({ dueMs }) => dueMs));
console.log(
  `recovered ${recovered.toFixed(0)} ms after the overload (goal: 2000 ms); ${unwell.length} of ${calm.length} calm requests refused or over 200 ms`,
);
agent.destroy();
await service.stop();
