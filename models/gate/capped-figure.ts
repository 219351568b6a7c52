import { quantile } from "../evaluation/bootstrap.ts";
import { mean, sampleVariance } from "../evaluation/moments.ts";
import type { UserDifference } from "./evidence.ts";

/**
 * What a sequential test is told beforehand of the figure it will see. A user's mean nDCG hardly ever comes near 1,
 * yet a test that must reckon with 1 dares only small bets, and throws most of the evidence away. So it looks at
 * v = min(nDCG, τ), with τ frozen when the test is planned. Its presence in a plan names the test, `e-process.ts`;
 * plans of the first design have none.
 */
export interface FigurePlan {
  readonly test: "capped";
  /** τ */
  readonly cap: number;
  /** Mean of the capped difference on the holdout; absent where it was never measured. */
  readonly lift?: number | undefined;
  /** Its variance. */
  readonly variance: number;
}

/** One user's figures on the holdout. */
export interface PairedFigures {
  readonly challenger: number;
  readonly baseline: number;
}

/** Of rows that name what they are differences from; others tell nothing of a cap. */
export function figuresOf(rows: readonly UserDifference[]): PairedFigures[] {
  return rows.flatMap(({ difference, baseline }) =>
    baseline === undefined ? [] : [{ challenger: baseline + difference, baseline }],
  );
}

const CAP_QUANTILE = 0.99;
const SMALLEST_CAP = 0.05;

/** Of interleaving's votes, and of figures of which nothing is known: the whole of [−1, 1]. */
export const UNCAPPED: FigurePlan = { test: "capped", cap: 1, variance: 1 };

/** τ is the .99 quantile of the figures of both, so that hardly anybody is capped; σ² comes from the same users. */
export function planFigure(holdout: readonly PairedFigures[]): FigurePlan {
  if (holdout.length < 2) return UNCAPPED;
  const cap = capOf(holdout.flatMap(({ challenger, baseline }) => [challenger, baseline]));
  const differences = holdout.map(
    ({ challenger, baseline }) => Math.min(challenger, cap) - Math.min(baseline, cap),
  );
  return { test: "capped", cap, lift: mean(differences), variance: sampleVariance(differences) };
}

/**
 * The same where only the baseline could be asked on the holdout, as beside a model that may have learned from it: τ from
 * its figures alone, no lift foretold, and the variance of a difference of two that have nothing to do with each other.
 */
export function planFigureBeside(baseline: readonly number[]): FigurePlan {
  if (baseline.length < 2) return UNCAPPED;
  const cap = capOf(baseline);
  return {
    test: "capped",
    cap,
    variance: 2 * sampleVariance(baseline.map((figure) => Math.min(figure, cap))),
  };
}

function capOf(figures: readonly number[]): number {
  return Math.min(1, Math.max(SMALLEST_CAP, quantile(Float64Array.from(figures).sort(), CAP_QUANTILE)));
}

/** A plan that a record has kept without one of its numbers plans nothing. */
export function isSoundFigure({ test, cap, lift, variance }: FigurePlan): boolean {
  const isNumber = (value: number): boolean => typeof value === "number" && Number.isFinite(value);
  const known = isNumber(cap) && isNumber(variance) && (lift === undefined || isNumber(lift));
  return test === "capped" && known && cap > 0 && cap <= 1 && variance >= 0;
}

/** Whether the row says enough to be capped. */
export function canBeCapped({ baseline }: UserDifference, cap: number): boolean {
  return cap >= 1 || (baseline !== undefined && baseline >= 0 && baseline <= 1);
}

/** min(c, τ) − min(b, τ) of one user; a vote, which has no figures of its own, is not capped. */
export function cappedDifference({ difference, baseline }: UserDifference, cap: number): number {
  if (cap >= 1) return difference;
  if (baseline === undefined)
    throw new RangeError("capped difference: expected the baseline's figure, got none");
  return Math.min(baseline + difference, cap) - Math.min(baseline, cap);
}
