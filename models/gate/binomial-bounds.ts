import { betaQuantile, binomialCdf } from "../evaluation/distributions.ts";

/**
 * One-sided Clopper–Pearson bounds of a rate: `failures` of `trials`, each bound with the given confidence.
 * upper = Beta⁻¹(c; x + 1, n − x), lower = Beta⁻¹(1 − c; x, n − x + 1).
 * Source: Clopper & Pearson, Biometrika 26(4), 1934.
 */
export function clopperPearson(
  failures: number,
  trials: number,
  confidence: number,
): { readonly lower: number; readonly upper: number } {
  if (!(Number.isInteger(failures) && Number.isInteger(trials) && failures >= 0 && failures <= trials)) {
    throw new RangeError(`Clopper–Pearson: expected 0 ≤ failures ≤ trials, got ${failures} of ${trials}`);
  }
  return {
    lower: failures === 0 ? 0 : betaQuantile(1 - confidence, failures, trials - failures + 1),
    upper: failures === trials ? 1 : betaQuantile(confidence, failures + 1, trials - failures),
  };
}

/**
 * Distribution-free bounds of a quantile from order statistics: with X ~ Bin(n, q) samples below the quantile,
 * upper = x_(r) for the smallest r with P(X ≤ r − 1) ≥ c, lower = x_(r) for the largest r with P(X ≥ r) ≥ c.
 * A bound that the sample is too small for is null. Source: David & Nagaraja, Order Statistics, section 7.1.
 */
export function quantileBounds(
  samples: readonly number[],
  probability: number,
  confidence: number,
): { readonly estimate: number; readonly lower: number | null; readonly upper: number | null } {
  const count = samples.length;
  const ascending = Float64Array.from(samples).sort();
  const rank = Math.max(1, Math.ceil(probability * count));
  let up = rank;
  while (up <= count && binomialCdf(up - 1, count, probability) < confidence) up++;
  let down = rank;
  while (down >= 1 && 1 - binomialCdf(down - 1, count, probability) < confidence) down--;
  return {
    estimate: count === 0 ? Number.NaN : ascending[rank - 1],
    lower: down >= 1 && count > 0 ? ascending[down - 1] : null,
    upper: up <= count && count > 0 ? ascending[up - 1] : null,
  };
}
