import { seededRandom } from "../data/random.ts";
import { quantile } from "../evaluation/bootstrap.ts";
import { mean, sampleVariance } from "../evaluation/moments.ts";
import type { Policy } from "./policy.ts";

/** passed: lift beyond the margin; lost: proven below it; inconclusive: the holdout cannot tell. */
export type ScreenOutcome = "passed" | "inconclusive" | "lost";

export interface ScreenResult {
  readonly outcome: ScreenOutcome;
  readonly users: number;
  readonly lift: number;
  readonly standardDeviation: number;
  readonly lowerBound: number;
  readonly upperBound: number;
  readonly margin: number;
  /** Whether the policy lets this challenger go on to the shadow. */
  readonly admitted: boolean;
}

/**
 * Stage A: one-sided studentised (bootstrap-t) bounds of the mean paired difference, one number a user.
 * t*_b = (mean*_b − d̄)/(s*_b/√n); lower = d̄ − q_c(t*)·s/√n, upper = d̄ − q_{1−c}(t*)·s/√n.
 * Source: Efron & Tibshirani 1993, section 12.5. A fixed-size test: it screens, it does not promote.
 */
export function screen(
  differences: readonly number[],
  margin: number,
  policy: Policy["screen"],
  seed: number,
): ScreenResult {
  const users = differences.length;
  const lift = users === 0 ? Number.NaN : mean(differences);
  const finite = differences.every(Number.isFinite) && Number.isFinite(margin);
  if (!finite || users < policy.minimumUsers) {
    return {
      outcome: "inconclusive",
      users,
      lift,
      standardDeviation: Number.NaN,
      lowerBound: Number.NEGATIVE_INFINITY,
      upperBound: Number.POSITIVE_INFINITY,
      margin,
      admitted: finite && policy.admit === "not-rejected",
    };
  }
  const { lower, upper, standardDeviation } = studentisedBounds(
    differences,
    policy.confidence,
    policy.resamples,
    seed,
  );
  const outcome = lower > margin ? "passed" : upper < margin ? "lost" : "inconclusive";
  return {
    outcome,
    users,
    lift,
    standardDeviation,
    lowerBound: lower,
    upperBound: upper,
    margin,
    admitted: outcome === "passed" || (outcome === "inconclusive" && policy.admit === "not-rejected"),
  };
}

export function studentisedBounds(
  differences: readonly number[],
  confidence: number,
  resamples: number,
  seed: number,
): { readonly lower: number; readonly upper: number; readonly standardDeviation: number } {
  const count = differences.length;
  const centre = mean(differences);
  const centred = Float64Array.from(differences, (difference) => difference - centre);
  const standardDeviation = Math.sqrt(sampleVariance(differences));
  const standardError = standardDeviation / Math.sqrt(count);
  if (standardError === 0) return { lower: centre, upper: centre, standardDeviation };

  const random = seededRandom(seed);
  const studentised = new Float64Array(resamples);
  for (let round = 0; round < resamples; round++) {
    let sum = 0;
    let sumOfSquares = 0;
    for (let draw = 0; draw < count; draw++) {
      const value = centred[random.integer(count)];
      sum += value;
      sumOfSquares += value * value;
    }
    const shift = sum / count;
    const variance = Math.max(0, (sumOfSquares - count * shift * shift) / (count - 1));
    // A resample without any spread gives an infinite t*, which can only widen the bounds.
    studentised[round] = shift === 0 ? 0 : shift / Math.sqrt(variance / count);
  }
  studentised.sort();
  return {
    lower: centre - quantile(studentised, confidence) * standardError,
    upper: centre - quantile(studentised, 1 - confidence) * standardError,
    standardDeviation,
  };
}
