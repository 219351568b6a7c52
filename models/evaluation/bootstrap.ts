import { seededRandom } from "../data/random.ts";
import { mean } from "./moments.ts";
import type { Estimate } from "./report.ts";

const DEFAULT_RESAMPLES = 1000;

export interface BootstrapOptions {
  readonly seed: number;
  /** Resamples of the users (default 1000). */
  readonly resamples?: number;
  /** Probabilities of the two ends (default 0.025 and 0.975: a 95 % interval). */
  readonly tails?: readonly [number, number];
}

/**
 * Mean of one number per user with its percentile bootstrap interval: users are drawn with replacement, the
 * tail quantiles of the resampled means are the ends.
 * Source: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
 */
export function bootstrapMean(values: ArrayLike<number>, options: BootstrapOptions): Estimate {
  return bootstrapMeans([values], options)[0];
}

/** The same of several figures of the same users, (figures) each (users): every resample draws the users once for all. */
export function bootstrapMeans(
  figures: readonly ArrayLike<number>[],
  options: BootstrapOptions,
): readonly Estimate[] {
  for (const values of figures) requireUsers(values);
  const users = figures[0]?.length ?? 0;
  if (figures.some(({ length }) => length !== users)) {
    throw new RangeError(`bootstrap: expected figures of the same ${users} users, got other numbers of them`);
  }
  const means = figures.map(() => new Float64Array(options.resamples ?? DEFAULT_RESAMPLES));
  resample(users, options, (picks, round) => {
    for (const [figure, values] of figures.entries()) {
      let sum = 0;
      for (let slot = 0; slot < users; slot++) sum += values[picks[slot]];
      means[figure][round] = sum / users;
    }
  });
  return figures.map((values, figure) => interval(mean(values), means[figure].sort(), options));
}

/**
 * Ratio of two means over the same users, mean(numerators) / mean(denominators), with its percentile bootstrap
 * interval; the pairs stay together in every resample. Not finite when the denominators average 0.
 */
export function bootstrapRatio(
  numerators: ArrayLike<number>,
  denominators: ArrayLike<number>,
  options: BootstrapOptions,
): Estimate {
  requireUsers(numerators);
  if (numerators.length !== denominators.length) {
    throw new RangeError(
      `bootstrap ratio: expected one pair a user, got ${numerators.length} and ${denominators.length} values`,
    );
  }
  const ratios = new Float64Array(options.resamples ?? DEFAULT_RESAMPLES);
  resample(numerators.length, options, (picks, round) => {
    let above = 0;
    let below = 0;
    for (let slot = 0; slot < picks.length; slot++) {
      above += numerators[picks[slot]];
      below += denominators[picks[slot]];
    }
    ratios[round] = above / below;
  });
  return interval(mean(numerators) / mean(denominators), ratios.sort(), options);
}

/** Draws `count` users with replacement, again and again. The picks array is reused between calls. */
function resample(
  count: number,
  options: BootstrapOptions,
  visit: (picks: Uint32Array, round: number) => void,
): void {
  const random = seededRandom(options.seed);
  const picks = new Uint32Array(count);
  for (let round = 0; round < (options.resamples ?? DEFAULT_RESAMPLES); round++) {
    for (let slot = 0; slot < count; slot++) picks[slot] = random.integer(count);
    visit(picks, round);
  }
}

function interval(centre: number, ascending: Float64Array, options: BootstrapOptions): Estimate {
  const [low, high] = options.tails ?? [0.025, 0.975];
  return { mean: centre, low: quantile(ascending, low), high: quantile(ascending, high) };
}

function requireUsers(values: ArrayLike<number>): void {
  if (values.length === 0) throw new RangeError("bootstrap: expected at least one user, got none");
}

/** Linear-interpolation quantile (Hyndman & Fan type 7) of ascending values. */
export function quantile(ascending: ArrayLike<number>, probability: number): number {
  if (ascending.length === 0) throw new RangeError("quantile: expected at least one value, got none");
  const place = (ascending.length - 1) * probability;
  const below = Math.floor(place);
  const low = ascending[below];
  const share = place - below;
  const high = share === 0 ? low : ascending[below + 1];
  // Equal infinite neighbours must not turn into NaN.
  return high === low ? low : low + share * (high - low);
}
