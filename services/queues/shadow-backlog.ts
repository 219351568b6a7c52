import { type JobType, Queue } from "bullmq";
import type { Config } from "../config.ts";
import { queueOptions } from "../redis.ts";
import { fromStore } from "../store-errors.ts";
import { QUEUES } from "./types.ts";

/** Batches of shadowed requests that nobody has worked off. */
export interface ShadowBacklog {
  /** When the oldest was added, epoch milliseconds; null when there is none. */
  oldest(): Promise<number | null>;
  close(): Promise<void>;
}

const ON_THEIR_WAY: JobType[] = ["active", "waiting", "delayed", "prioritized"];

/** Connects when it is first asked. */
export function shadowBacklog(config: Pick<Config, "redisUrl" | "prefix">): ShadowBacklog {
  let queue: Queue | null = null;
  const open = (): Queue => {
    const opened = new Queue(QUEUES.shadow, queueOptions(config));
    // A failed command says so itself.
    opened.on("error", () => {});
    return opened;
  };
  return {
    oldest: async () => {
      queue ??= open();
      const first = await fromStore("read the shadow's queue", queue.getJobs(ON_THEIR_WAY, 0, 0, true));
      return first.reduce<number | null>(
        (oldest, { timestamp }) => (oldest === null ? timestamp : Math.min(oldest, timestamp)),
        null,
      );
    },
    close: async () => {
      await queue?.close();
    },
  };
}
