import { clopperPearson } from "../binomial-bounds.ts";

/** Beyond this many an answer would only be false precision. */
const TOO_MANY = 1e7;

/** Further requests, none of them failing, after which the failure rate is proven within the limit. */
export function requestsToAcquit(
  failures: number,
  asked: number,
  { limit, confidence }: { readonly limit: number; readonly confidence: number },
): number | null {
  const isWithin = (trials: number): boolean => clopperPearson(failures, trials, confidence).upper <= limit;
  let high = Math.max(1, asked);
  while (!isWithin(high)) {
    high *= 2;
    if (high > TOO_MANY) return null;
  }
  let low = asked;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isWithin(middle)) high = middle;
    else low = middle;
  }
  return Math.max(0, high - asked);
}

/** Further samples until an order statistic bounds the quantile from above at all: 1 − q^n ≥ confidence. */
export function samplesToBound(samples: number, probability: number, confidence: number): number {
  return Math.max(0, Math.ceil(Math.log(1 - confidence) / Math.log(probability)) - samples);
}

/**
 * Further samples after which a bound that lies `distance` from its estimate, and shrinks with √n, comes within the
 * `room` between estimate and limit; null when the estimate itself is beyond the limit.
 */
export function samplesToNarrow(samples: number, distance: number, room: number): number | null {
  if (!(room > 0)) return null;
  const needed = samples * (distance / room) ** 2;
  return needed > TOO_MANY ? null : Math.max(0, Math.ceil(needed) - samples);
}
