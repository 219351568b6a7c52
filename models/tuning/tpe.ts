import type { Random } from "../data/random.ts";
import type { Dimension } from "../recipe.ts";
import { parzenEstimator } from "./parzen.ts";
import type { Point } from "./space.ts";

const GOOD_SHARE = 0.1;
const CANDIDATES = 24;

export interface Observation {
  readonly point: Point;
  /** Higher is better. */
  readonly score: number;
}

/**
 * Tree-structured Parzen estimator: with l the density of the best tenth of the points and g of the rest, draws
 * candidates from l and takes the one with the largest l/g, which has the largest expected improvement.
 * Joint kernels over all axes, so that parameters that only work together are found together.
 * Source: Bergstra et al., NeurIPS 2011, §4; joint kernels after Falkner et al. (BOHB), ICML 2018, §3.2.
 */
export function suggestPoint(
  dimensions: readonly Dimension[],
  observations: readonly Observation[],
  random: Random,
): Point {
  const ranked = observations
    .map((observation, order) => ({ ...observation, order }))
    .sort((a, b) => b.score - a.score || a.order - b.order)
    .map(({ point }) => point);
  const goodCount = Math.min(ranked.length, Math.max(2, Math.ceil(GOOD_SHARE * ranked.length)));
  const good = parzenEstimator(dimensions, ranked.slice(0, goodCount));
  const rest = parzenEstimator(dimensions, ranked.slice(goodCount));
  let best = good.sample(random);
  let bestGain = Number.NEGATIVE_INFINITY;
  for (let candidate = 0; candidate < CANDIDATES; candidate++) {
    const point = candidate === 0 ? best : good.sample(random);
    const gain = good.logDensity(point) - rest.logDensity(point);
    if (gain > bestGain) {
      best = point;
      bestGain = gain;
    }
  }
  return best;
}
