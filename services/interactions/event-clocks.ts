import type { Redis } from "ioredis";
import { fromStore } from "../store-errors.ts";
import { FORMER_WATERMARK, LIVE_CLOCK, RECORDED_TIMES } from "./keys.ts";

/** An event this old when it arrives was recorded before and is played again, or was imported, milliseconds. */
export const RECORDED_AGE_MS = 86_400_000;
/**
 * The clock of recorded events is the latest of so many arrivals: another replay, which begins earlier, turns it back.
 */
export const RECORDED_KEPT = 1_000;

/**
 * Event times reached, epoch milliseconds; null where there are no such events. What happens now and what is played again
 * have a clock each: one live event among recorded ones moves nothing for them, nor the other way round.
 */
export interface EventClocks {
  /** Never ahead of Redis' own clock, whatever clock a client or a replica has. */
  readonly live: number | null;
  readonly recorded: number | null;
  /** Time of the first live event: what a user did before it was recorded. */
  readonly liveSince: number | null;
}

export async function readEventClocks(redis: Redis): Promise<EventClocks> {
  const reading = redis
    .multi()
    .time()
    .hmget(LIVE_CLOCK, "at", "since")
    .lrange(RECORDED_TIMES, 0, -1)
    .get(FORMER_WATERMARK)
    .exec();
  const replies = ((await fromStore("read event clocks", reading)) ?? []).map(([, reply]) => reply);
  const [time, live, times, former] = replies as [string[], (string | null)[], string[], string | null];
  const nowMs = Number(time[0]) * 1000 + Math.floor(Number(time[1]) / 1000);
  const [at, since] = live.map((text) => (text === null ? null : Math.min(Number(text), nowMs)));
  const earlier = former === null || Number(former) > nowMs ? [] : [Number(former)];
  const recorded = times.length > 0 ? times.map(Number) : earlier;
  return {
    live: at ?? null,
    liveSince: since ?? null,
    recorded: recorded.length === 0 ? null : recorded.reduce((latest, one) => Math.max(latest, one)),
  };
}

/** The clock that a user's attribution windows run on, by the time of the latest thing that the user did. */
export function clockOf(clocks: EventClocks, latestAt: number): number {
  return (isLiveAt(clocks, latestAt) ? clocks.live : clocks.recorded) ?? 0;
}

export function isLiveAt({ liveSince }: EventClocks, latestAt: number): boolean {
  return liveSince !== null && latestAt >= liveSince;
}

/**
 * What a comparison that is opened now begins with: of two clocks the earlier, so that neither kind of event is left
 * out.
 */
export function openingTime({ live, recorded }: EventClocks): number {
  if (live === null || recorded === null) return live ?? recorded ?? 0;
  return Math.min(live, recorded);
}
