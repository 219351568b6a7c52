import type { Redis } from "ioredis";
import { channelOf } from "../redis.ts";
import { type WatchOptions, watchChannel } from "../watch-channel.ts";
import { isSamePointer } from "./lineage.ts";
import { LIVE_CHANNEL, readLive } from "./snapshot.ts";
import type { LivePointer } from "./types.ts";

/** Calls back with the present pointer, null when nothing is live, then at every change of it. */
export async function watchLivePointer(
  redis: Redis,
  onChange: (live: LivePointer | null) => void,
  options: WatchOptions,
): Promise<{ close(): Promise<void> }> {
  let closed = false;
  let known: LivePointer | null | undefined;
  const look = async (): Promise<void> => {
    const live = await readLive(redis);
    if (closed || (known !== undefined && isSamePointer(live, known))) return;
    known = live;
    onChange(live);
  };
  const watch = await watchChannel(redis, channelOf(redis, LIVE_CHANNEL), look, options);
  return {
    close: () => {
      closed = true;
      return watch.close();
    },
  };
}
