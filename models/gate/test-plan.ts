import type { FigurePlan } from "./capped-figure.ts";
import { type EProcessPlan, planTest, type SequentialTest } from "./e-process.ts";
import { type FirstTest, planFirstTest } from "./first-bets.ts";

/** All numbers of a sequential test, fixed before the first of its users is seen. */
export interface TestPlan {
  /** δ */
  readonly margin: number;
  /** Smallest lift worth finding. */
  readonly mde: number;
  /** σ² of a user's difference in nDCG. */
  readonly variance: number;
  readonly alpha: number;
  /** α of the test that gives a challenger up; that of the test itself where it is left out. */
  readonly futilityAlpha?: number | undefined;
  /** Absent in what the first design planned. */
  readonly figure?: FigurePlan | undefined;
}

export type CappedPlan = TestPlan & { readonly figure: FigurePlan };

export function isCapped(plan: TestPlan): plan is CappedPlan {
  return plan.figure !== undefined;
}

/** How far beyond the margin the planned lift lies. An MDE inside the margin would plan for an endless test. */
export function plannedGap({ mde, margin }: Pick<TestPlan, "margin" | "mde">): number {
  return Math.max(mde - margin, mde / 2);
}

/** The cap leaves room for the margin, whatever a policy asks. */
export function rangeOf({ figure, margin }: CappedPlan): number {
  return Math.min(1, Math.max(figure.cap, 2 * Math.abs(margin)));
}

/** H0: mean ≤ δ. It bets on what the holdout found, or on the smallest lift worth finding where that is more. */
export function cappedTest(plan: CappedPlan): SequentialTest {
  const { margin, figure, alpha } = plan;
  const found = figure.lift === undefined ? 0 : figure.lift - margin;
  return planTest(numbersOf(plan, margin, alpha, Math.max(found, plannedGap(plan))));
}

/** H0: mean ≥ δ, on −d: whether the challenger is proven not to pay. */
export function futilityTest(plan: CappedPlan): SequentialTest {
  const { margin, mde, figure, alpha, futilityAlpha = alpha } = plan;
  const missed = figure.lift === undefined ? 0 : margin - figure.lift;
  return planTest(numbersOf(plan, -margin, futilityAlpha, Math.max(missed, mde / 2)));
}

function numbersOf(plan: CappedPlan, margin: number, alpha: number, excess: number): EProcessPlan {
  const range = rangeOf(plan);
  return { margin, alpha, range, excess: Math.min(excess, range), variance: plan.figure.variance };
}

export function firstTest(plan: TestPlan): FirstTest {
  return planFirstTest({ ...plan, gap: plannedGap(plan) });
}

/** The first design gave a challenger up when it was proven to lose, not when it was proven not to pay. */
export function firstLossTest(plan: TestPlan): FirstTest {
  const ceiling = Math.min(0, plan.margin);
  return firstTest({ ...plan, margin: -ceiling, mde: plan.mde - ceiling });
}
