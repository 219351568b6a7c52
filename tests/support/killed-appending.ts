import { setTimeout as pause } from "node:timers/promises";
import { itemId, userId } from "../../models/data/ids.ts";
import { redisEventLog } from "../../services/interactions/event-log.ts";
import { connectRedis } from "../../services/redis.ts";
import { startRedis } from "./redis.ts";

const BATCH = 10;
const SENDERS = 8;

/** Of acknowledged events those that the stream does not hold afterwards. */
export interface Kept {
  readonly acknowledged: number;
  readonly lost: number;
}

/**
 * Sends events in batches of ten by eight senders, each batch until it is acknowledged, while Redis is killed -9 and
 * started again, each time that another share of the events has been acknowledged.
 */
export async function killedAppending(fsync: string, events: number, kills: number): Promise<Kept> {
  const server = await startRedis(["--appendfsync", fsync]);
  const redis = connectRedis({ redisUrl: server.url }, "bounded", () => {});
  const log = redisEventLog(redis);
  const acknowledged: string[] = [];
  let next = 0;
  const batchAt = (at: number) =>
    Array.from({ length: BATCH }, (_, n) => ({
      eventId: `e${at + n}`,
      userId: userId(`u${(at + n) % 500}`),
      itemId: itemId(`i${at + n}`),
      type: "watch",
    }));
  const send = async (): Promise<void> => {
    while (next < events) {
      const at = next;
      next += BATCH;
      const batch = batchAt(at);
      for (;;) {
        try {
          await log.append(batch, Date.now());
          break;
        } catch {
          await pause(20);
        }
      }
      for (const { eventId } of batch) acknowledged.push(eventId);
    }
  };
  const senders = Array.from({ length: SENDERS }, send);
  for (let kill = 1; kill <= kills; kill++) {
    while (acknowledged.length < (events * kill) / (kills + 1)) await pause(1);
    await server.kill();
    await server.restart();
  }
  await Promise.all(senders);
  const kept = new Set<string>();
  for (let after = "0"; ; ) {
    const page = await log.read(after, 1000).catch(() => null);
    if (page === null) continue;
    for (const { event } of page) kept.add(event.eventId);
    if (page.length < 1000) break;
    after = page[page.length - 1].id;
  }
  redis.disconnect();
  await server.stop();
  return { acknowledged: acknowledged.length, lost: acknowledged.filter((id) => !kept.has(id)).length };
}
