import { alphaOfAttempt } from "./alpha-spending.ts";
import { placeOf } from "./assignment.ts";
import type { FigurePlan } from "./capped-figure.ts";
import { isProven, lowerBound, runEProcess, type SequentialTest } from "./e-process.ts";
import type { Policy } from "./policy.ts";
import { cappedTest } from "./test-plan.ts";

/**
 * What all promotions together bring. A share of the users stays on the phase-1 floor for good; as many others, their
 * twins, get what everybody gets. Both are chosen by a hash, so that they differ by nothing but what they are served,
 * and each is judged by the lists that were served: feedback that answers our own lists favours neither.
 * The i-th held-back user of a round is paired with its i-th twin; d_i = min(twin's nDCG, τ) − min(the other's, τ) are
 * independent with the lift as their mean, and the e-process of Stage B, inverted, bounds it at every time.
 * Someone counts once a round. Round r spends α_r = α/(r(r + 1)), half of it on either side, so that over all rounds
 * together, whoever comes back, harm is told without reason with a chance of at most α (union bound).
 */
export type Arm = "floor" | "twin";

const SALT = "holdback";

/** Null for everybody else, and for all where the share is 0. */
export function armOf(user: string, share: number): Arm | null {
  if (!(share > 0)) return null;
  const place = placeOf(user, SALT);
  return place < share ? "floor" : place < 2 * share ? "twin" : null;
}

export interface HeldUser {
  readonly arm: Arm;
  /** nDCG of the lists that were served. */
  readonly figure: number;
}

export interface HoldbackRound {
  /** From 1. */
  readonly round: number;
  /** τ and σ² of a difference, frozen when the round begins. */
  readonly figure: FigurePlan;
  /** In the order in which their windows closed. */
  readonly users: readonly HeldUser[];
}

export interface HoldbackStanding {
  readonly round: number;
  readonly pairs: number;
  readonly lift: number;
  /** Anytime-valid, each with half of the round's α; ±τ where nothing is excluded yet. */
  readonly lowerBound: number;
  readonly upperBound: number;
  readonly alpha: number;
  /** gain: the whole interval lies above 0; harm: below it. */
  readonly found: "gain" | "harm" | "open";
}

type Limits = Pick<Policy, "alpha" | "mde">;

/** One test for either side, of d and of −d; nothing is foretold of either. */
export function sideTest(
  { round, figure }: Omit<HoldbackRound, "users">,
  { alpha, mde }: Limits,
): SequentialTest {
  const { variance } = figure;
  return cappedTest({ margin: 0, mde, variance, alpha: alphaOfAttempt(alpha, round) / 2, figure });
}

export function holdbackStanding({ users, ...opened }: HoldbackRound, limits: Limits): HoldbackStanding {
  const { round, figure } = opened;
  const differences = pairedDifferences(users, figure.cap);
  const test = sideTest(opened, limits);
  const losses = differences.map((difference) => -difference);
  const sum = differences.reduce((total, difference) => total + difference, 0);
  const isHarm = isProven(runEProcess(losses, test), test);
  const isGain = isProven(runEProcess(differences, test), test);
  return {
    round,
    pairs: differences.length,
    lift: differences.length === 0 ? 0 : sum / differences.length,
    lowerBound: lowerBound(differences, test),
    upperBound: -lowerBound(losses, test),
    alpha: alphaOfAttempt(limits.alpha, round),
    // Both at once would need one of the two errors that α is the chance of; then nothing is said.
    found: isHarm === isGain ? "open" : isHarm ? "harm" : "gain",
  };
}

/** The i-th of one arm beside the i-th of the other; who has no partner yet waits. */
export function pairedDifferences(users: readonly HeldUser[], cap: number): number[] {
  const capped = (arm: Arm): number[] =>
    users.filter((user) => user.arm === arm).map(({ figure }) => Math.min(figure, cap));
  const [twins, floor] = [capped("twin"), capped("floor")];
  return twins.slice(0, floor.length).map((twin, place) => twin - floor[place]);
}
