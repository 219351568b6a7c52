import { MS_PER_DAY } from "./day.ts";

/** Users who first appear within this time of each other are one burst. */
export const BURST_MS = 3_600_000;

/**
 * Positions of the most times that lie within one hour of each other; of two groups of one size the earlier. A time that
 * is a whole day tells nothing of hours, and is in none: imports often know days only, and begin on one.
 */
export function largestBurst(times: readonly number[]): number[] {
  const order = times
    .map((_, position) => position)
    .filter((position) => times[position] % MS_PER_DAY !== 0)
    .sort((a, b) => times[a] - times[b]);
  let from = 0;
  let best = { from: 0, size: 0 };
  for (const [last, position] of order.entries()) {
    while (times[position] - times[order[from]] > BURST_MS) from++;
    if (last - from + 1 > best.size) best = { from, size: last - from + 1 };
  }
  return order.slice(best.from, best.from + best.size);
}
