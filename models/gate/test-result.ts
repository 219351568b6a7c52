import { mean, sampleVariance } from "../evaluation/moments.ts";
import { cappedDifference } from "./capped-figure.ts";
import { isProven, logE, lowerBound, runEProcess } from "./e-process.ts";
import type { UserDifference } from "./evidence.ts";
import { firstLogE, firstLogWealth, firstLowerBound } from "./first-bets.ts";
import { plannedLength, usersForPower, usersStillNeeded, usersUntil } from "./power.ts";
import {
  type CappedPlan,
  cappedTest,
  firstLossTest,
  firstTest,
  futilityTest,
  isCapped,
  plannedGap,
  rangeOf,
  type TestPlan,
} from "./test-plan.ts";

/** Where a sequential test stands, with all the numbers a reader asks for. */
export interface TestResult {
  readonly users: number;
  /** Mean difference in nDCG. */
  readonly lift: number;
  readonly standardDeviation: number;
  readonly margin: number;
  readonly alpha: number;
  /** ln E_n; the evidence suffices from ln(1/α) on. */
  readonly logE: number;
  /** The evidence suffices, and the lift itself is beyond the margin too. */
  readonly proven: boolean;
  /**
   * Anytime-valid: the mean lies above it with confidence 1 − α, whenever one looks. Its range's end: nothing excluded.
   */
  readonly lowerBound: number;
  /** Of a test on capped figures: τ and their mean difference, which the lower bound is a bound of. */
  readonly capped?: { readonly cap: number; readonly lift: number } | undefined;
  /** Users the plan foresees at the MDE with 80 % power, and the end of patience. */
  readonly n80: number;
  readonly nMax: number;
  /** About how many more users the present lift would need; null when it leads nowhere. */
  readonly moreUsers: number | null;
}

export function runTest(rows: readonly UserDifference[], plan: TestPlan): TestResult {
  const differences = rows.map(({ difference }) => difference);
  const common = {
    users: rows.length,
    lift: rows.length === 0 ? 0 : mean(differences),
    standardDeviation: Math.sqrt(spread(differences, plan.variance)),
    margin: plan.margin,
    alpha: plan.alpha,
  };
  return { ...common, ...(isCapped(plan) ? onCapped(rows, plan, common.lift) : onFirst(differences, plan)) };
}

/** Whether the lift is proven, without the other numbers of a result. */
export function isProvenLift(rows: readonly UserDifference[], plan: TestPlan): boolean {
  if (!isCapped(plan)) return runTest(rows, plan).proven;
  const test = cappedTest(plan);
  const lift = mean(rows.map(({ difference }) => difference));
  return lift > plan.margin && isProven(runEProcess(cappedOf(rows, plan), test), test);
}

/** Whether the challenger is proven not to pay. Ending it early cannot promote anything, so it costs none of α. */
export function isProvenLoss(rows: readonly UserDifference[], plan: TestPlan): boolean {
  if (isCapped(plan)) return isFutile(cappedOf(rows, plan), plan);
  const losses = rows.map(({ difference }) => -difference);
  const test = firstLossTest(plan);
  return firstLogE(losses, test) >= -Math.log(test.alpha);
}

/** The same of differences that lie within the plan's range already. */
export function isFutile(differences: readonly number[], plan: CappedPlan): boolean {
  const test = futilityTest(plan);
  return isProven(
    runEProcess(
      differences.map((difference) => -difference),
      test,
    ),
    test,
  );
}

type Standing = Omit<TestResult, "users" | "lift" | "standardDeviation" | "margin" | "alpha">;

function onCapped(rows: readonly UserDifference[], plan: CappedPlan, lift: number): Standing {
  const test = cappedTest(plan);
  const differences = cappedOf(rows, plan);
  const state = runEProcess(differences, test);
  const capped = { cap: test.range, lift: rows.length === 0 ? 0 : mean(differences) };
  const variance = spread(differences, plan.figure.variance);
  const enough = isProven(state, test);
  return {
    logE: logE(state),
    proven: enough && lift > plan.margin,
    lowerBound: lowerBound(differences, test),
    capped,
    ...plannedLength(usersForPower(test, plannedGap(plan), plan.figure.variance, 0.8)),
    moreUsers: enough ? 0 : usersStillNeeded(state, test, capped.lift, variance),
  };
}

function onFirst(differences: readonly number[], plan: TestPlan): Standing {
  const test = firstTest(plan);
  const value = firstLogE(differences, test);
  const proven = value >= -Math.log(test.alpha);
  const logWealth = firstLogWealth(differences, test, test.margin);
  const gap = differences.length === 0 ? 0 : mean(differences) - plan.margin;
  const variance = spread(differences, plan.variance);
  const bets = test.bets.map((bet, index) => ({ ...bet, logWealth: logWealth[index] }));
  const fresh = bets.map((bet) => ({ ...bet, logWealth: 0 }));
  const planned = { alpha: plan.alpha, gap: plannedGap(plan), variance: plan.variance, power: 0.8 };
  return {
    logE: value,
    proven,
    lowerBound: firstLowerBound(differences, test),
    ...plannedLength(usersUntil(fresh, planned)),
    moreUsers: proven ? 0 : usersUntil(bets, { alpha: plan.alpha, gap, variance, power: 0.5 }),
  };
}

function cappedOf(rows: readonly UserDifference[], plan: CappedPlan): number[] {
  const cap = rangeOf(plan);
  return rows.map((row) => cappedDifference(row, cap));
}

function spread(differences: readonly number[], otherwise: number): number {
  return differences.length > 1 ? sampleVariance(differences) : otherwise;
}
