/** Prints how fast the event log seeds histories and takes feedback, against a private Redis. */
import { performance } from "node:perf_hooks";
import { itemId, userId } from "../../models/data/ids.ts";
import { redisEventLog } from "../../services/interactions/event-log.ts";
import type { ImportedHistory } from "../../services/interactions/imported-histories.ts";
import type { FeedbackEvent } from "../../services/interactions/types.ts";
import { connectRedis } from "../../services/redis.ts";
import { startRedis } from "../support/redis.ts";

const EVENTS = 100_000;
const USERS = 610;
const BATCH = 100;

const eventOf = (n: number): FeedbackEvent => ({
  eventId: `event-${n}`,
  userId: userId(String(n % USERS)),
  itemId: itemId(String(n % 9_724)),
  type: "rating",
  rating: 3.5,
  timestamp: 1_500_000_000_000 + n,
});

function* batches(size: number): Generator<FeedbackEvent[]> {
  for (let from = 0; from < EVENTS; from += size) {
    yield Array.from({ length: size }, (_, n) => eventOf(from + n));
  }
}

function* histories(): Generator<ImportedHistory> {
  for (let user = 0; user < USERS; user++) {
    const own = Array.from({ length: Math.ceil((EVENTS - user) / USERS) }, (_, n) =>
      eventOf(user + n * USERS),
    );
    yield {
      userId: userId(String(user)),
      entries: own.map((event) => ({ itemId: event.itemId, timestamp: event.timestamp ?? 0, weight: 3.5 })),
    };
  }
}

async function timed(what: string, work: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  console.log(`${what}: ${seconds.toFixed(2)} s, ${Math.round(EVENTS / seconds)} events/s`);
}

const server = await startRedis();
const redis = connectRedis({ redisUrl: server.url }, "patient", () => {});
const log = redisEventLog(redis);
await timed(`write ${EVENTS} imported events`, () => log.replaceImported(histories(), "bench"));
await timed("write the same import again", () => log.replaceImported(histories(), "bench"));
await timed(`append ${EVENTS} events in batches of ${BATCH}, one at a time`, async () => {
  for (const batch of batches(BATCH)) await log.append(batch, Date.now());
});
redis.disconnect();
await server.stop();
