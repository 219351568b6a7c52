import { mean, sampleVariance } from "../evaluation/moments.ts";
import { isProven, logE, lowerBound, planTest, runEProcess, type TestPlan } from "./e-process.ts";
import type { UserDifference } from "./evidence.ts";
import { plannedUsers, usersStillNeeded } from "./power.ts";

/** Where a sequential test stands, with all the numbers a reader asks for. */
export interface TestResult {
  readonly users: number;
  readonly lift: number;
  readonly standardDeviation: number;
  readonly margin: number;
  readonly alpha: number;
  /** ln E_n; proven from ln(1/α) on. */
  readonly logE: number;
  readonly proven: boolean;
  /** Anytime-valid: the mean lies above it with confidence 1 − α, whenever one looks. −1: nothing excluded. */
  readonly lowerBound: number;
  /** Users the plan foresees at the MDE with 80 % power, and the end of patience. */
  readonly n80: number;
  readonly nMax: number;
  /** About how many more users the present lift would need; null when it leads nowhere. */
  readonly moreUsers: number | null;
}

export function runTest(rows: readonly UserDifference[], plan: TestPlan): TestResult {
  const differences = rows.map(({ difference }) => difference);
  const users = differences.length;
  const test = planTest(plan);
  const state = runEProcess(differences, test);
  const lift = users === 0 ? 0 : mean(differences);
  const variance = users > 1 ? sampleVariance(differences) : plan.variance;
  const proven = isProven(state, test);
  return {
    users,
    lift,
    standardDeviation: Math.sqrt(variance),
    margin: plan.margin,
    alpha: plan.alpha,
    logE: logE(state, test),
    proven,
    lowerBound: lowerBound(differences, test),
    ...plannedUsers(plan),
    moreUsers: proven ? 0 : usersStillNeeded(state, test, lift, variance),
  };
}

/**
 * The same bets against the challenger: whether its mean is proven below min(0, δ). Ending a hopeless shadow
 * early cannot promote anything, so it costs none of α.
 */
export function isProvenLoss(rows: readonly UserDifference[], plan: TestPlan): boolean {
  const ceiling = Math.min(0, plan.margin);
  const mirrored = planTest({ ...plan, margin: -ceiling, mde: plan.mde - ceiling });
  return isProven(
    runEProcess(
      rows.map(({ difference }) => -difference),
      mirrored,
    ),
    mirrored,
  );
}
