import type { Redis } from "ioredis";
import { fromStore } from "./store-errors.ts";

export interface WatchOptions {
  /** Longest that a lost message delays a look, milliseconds. */
  readonly pollMs: number;
  /** Hears of looks that failed; the next poll tries again. */
  readonly onError: (error: unknown) => void;
}

/**
 * Looks now, at every message on a channel, and every `pollMs`. A message only says "look", and one look runs at a time,
 * so that a late message can never bring back an old state.
 */
export async function watchChannel(
  redis: Redis,
  channel: string,
  look: () => Promise<void>,
  { pollMs, onError }: WatchOptions,
): Promise<{ close(): Promise<void> }> {
  let closed = false;
  let looking: Promise<void> | undefined;
  let lookAgain = false;
  const lookInTurn = async (): Promise<void> => {
    do {
      lookAgain = false;
      await look().catch(onError);
    } while (lookAgain && !closed);
    looking = undefined;
  };
  const asked = (): Promise<void> => {
    lookAgain = true;
    looking ??= lookInTurn();
    return looking;
  };

  // A subscriber waits for Redis however long it is away; the poll covers what it misses meanwhile.
  const subscriber = redis.duplicate({
    commandTimeout: undefined,
    enableOfflineQueue: true,
    maxRetriesPerRequest: null,
  });
  subscriber.on("error", onError);
  subscriber.on("message", () => void asked());
  const subscribed = fromStore(`watch ${channel}`, subscriber.subscribe(channel));
  subscribed.catch((error) => closed || onError(error));
  const poll = setInterval(() => void asked(), pollMs);
  poll.unref();
  await asked();

  return {
    async close() {
      closed = true;
      clearInterval(poll);
      subscriber.disconnect();
      await looking;
    },
  };
}
