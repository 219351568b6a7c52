import type { Redis } from "ioredis";
import { channelOf } from "../redis.ts";
import { fromStore } from "../store-errors.ts";
import { LIVE_CHANNEL, readLive } from "./snapshot.ts";
import type { LivePointer } from "./types.ts";

export interface WatchOptions {
  /** Longest that a lost message delays a change, milliseconds. */
  readonly pollMs: number;
  /** Hears of reads that failed; the next poll tries again. */
  readonly onError: (error: unknown) => void;
}

/**
 * Calls back with the present pointer, then at every change of it. A message only says "look": the pointer is
 * always read, one read at a time, so that a late message can never bring back an old version.
 */
export async function watchLivePointer(
  redis: Redis,
  onChange: (live: LivePointer) => void,
  { pollMs, onError }: WatchOptions,
): Promise<{ close(): Promise<void> }> {
  let closed = false;
  let known: LivePointer | null = null;
  let reading: Promise<void> | undefined;
  let lookAgain = false;

  const read = async (): Promise<void> => {
    do {
      lookAgain = false;
      try {
        const live = await readLive(redis);
        if (closed || live === null) continue;
        if (live.epoch === known?.epoch && live.version === known.version) continue;
        known = live;
        onChange(live);
      } catch (error) {
        onError(error);
      }
    } while (lookAgain && !closed);
    reading = undefined;
  };
  const look = (): Promise<void> => {
    lookAgain = true;
    reading ??= read();
    return reading;
  };

  // A subscriber waits for Redis however long it is away; the poll covers what it misses meanwhile.
  const subscriber = redis.duplicate({
    commandTimeout: undefined,
    enableOfflineQueue: true,
    maxRetriesPerRequest: null,
  });
  subscriber.on("error", onError);
  subscriber.on("message", () => void look());
  const subscribed = fromStore("watch live pointer", subscriber.subscribe(channelOf(redis, LIVE_CHANNEL)));
  subscribed.catch((error) => closed || onError(error));
  const poll = setInterval(() => void look(), pollMs);
  poll.unref();
  await look();

  return {
    async close() {
      closed = true;
      clearInterval(poll);
      subscriber.disconnect();
      await reading;
    },
  };
}
