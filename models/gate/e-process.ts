/**
 * Stage B's test. One paired difference d_i in [−1, 1] a user, in order of arrival; H0: mean ≤ δ.
 * A gambler starts with 1 and bets on d_i > δ; if H0 is true the expected wealth never grows, so the chance that
 * it ever reaches 1/α is at most α (Ville 1939): one may look after every user and stop when one likes.
 * E_n = Σ_j w_j · Π_{i≤n} (1 + λ_j (d_i − δ)), a mixture over fixed bets, kept in logs.
 * Source: Waudby-Smith & Ramdas, JRSS B 86(1), 2024; Howard et al., Annals of Statistics 49(2), 2021.
 */
export interface SequentialTest {
  /** δ */
  readonly margin: number;
  /** α this attempt may spend. */
  readonly alpha: number;
  /** λ_j and w_j; Σ w_j = 1. */
  readonly bets: readonly { readonly lambda: number; readonly weight: number }[];
}

/** Wealth after some users; small and serialisable, so a job can carry on where another stopped. */
export interface EProcessState {
  readonly users: number;
  /** ln Π (1 + λ_j (d_i − δ)), one a bet. */
  readonly logWealth: readonly number[];
}

const SPREAD_BETS = [0.0125, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8];

export interface TestPlan {
  readonly margin: number;
  readonly mde: number;
  /** σ² of a user's difference, planned before the first of them is seen. */
  readonly variance: number;
  readonly alpha: number;
}

/** How far beyond the margin the planned lift lies. An MDE inside the margin would plan for an endless test. */
export function plannedGap(plan: Pick<TestPlan, "margin" | "mde">): number {
  return Math.max(plan.mde - plan.margin, plan.mde / 2);
}

/** λ_0 = min(.95, (MDE − δ)/σ²) with weight ½; seven spread bets share the other half. */
export function planTest(plan: TestPlan): SequentialTest {
  const { margin, variance, alpha } = plan;
  if (!(margin > -1 && margin < 1 && variance >= 0 && alpha > 0 && alpha < 1)) {
    throw new RangeError(
      `sequential test: expected −1 < margin < 1, variance ≥ 0 and 0 < alpha < 1, got ${margin}, ${variance}, ${alpha}`,
    );
  }
  const planned = Math.min(0.95, plannedGap(plan) / Math.max(variance, 1e-12));
  const bets = [
    { lambda: planned, weight: 0.5 },
    ...SPREAD_BETS.map((lambda) => ({ lambda, weight: 0.5 / SPREAD_BETS.length })),
  ];
  return { margin, alpha, bets: bets.map((bet) => ({ ...bet, lambda: capped(bet.lambda, margin) })) };
}

/** α_k = α / (k(k + 1)): all attempts at one baseline together spend at most α. */
export function alphaOfAttempt(alpha: number, attempt: number): number {
  if (!(Number.isInteger(attempt) && attempt >= 1)) {
    throw new RangeError(`alpha: expected attempt 1, 2, …, got ${attempt}`);
  }
  return alpha / (attempt * (attempt + 1));
}

export function startEProcess(test: SequentialTest): EProcessState {
  return { users: 0, logWealth: test.bets.map(() => 0) };
}

/** The state after one more user. @throws RangeError for a difference outside [−1, 1] */
export function nextEProcess(state: EProcessState, test: SequentialTest, difference: number): EProcessState {
  requireDifference(difference);
  const excess = difference - test.margin;
  return {
    users: state.users + 1,
    logWealth: state.logWealth.map((wealth, bet) => wealth + Math.log1p(test.bets[bet].lambda * excess)),
  };
}

/** ln E_n of a state. */
export function logE(state: EProcessState, test: SequentialTest): number {
  return logSumExp(test.bets.map(({ weight }, bet) => Math.log(weight) + state.logWealth[bet]));
}

/** The state after all differences, from scratch. */
export function runEProcess(differences: readonly number[], test: SequentialTest): EProcessState {
  return {
    users: differences.length,
    logWealth: logWealthAt(differences, test, test.margin),
  };
}

/** Whether the evidence suffices: E_n ≥ 1/α. */
export function isProven(state: EProcessState, test: SequentialTest): boolean {
  return logE(state, test) >= -Math.log(test.alpha);
}

/**
 * Anytime-valid lower bound of the mean: sup{δ' : E_n(δ') ≥ 1/α}, by bisection (E_n falls as δ' rises);
 * −1 when nothing is excluded yet.
 */
export function lowerBound(differences: readonly number[], test: SequentialTest): number {
  const threshold = -Math.log(test.alpha);
  const rejects = (margin: number): boolean => {
    const wealth = logWealthAt(differences, test, margin);
    return logSumExp(test.bets.map(({ weight }, bet) => Math.log(weight) + wealth[bet])) >= threshold;
  };
  if (!rejects(-1)) return -1;
  let low = -1;
  let high = 1;
  while (high - low > 1e-12) {
    const middle = (low + high) / 2;
    if (rejects(middle)) low = middle;
    else high = middle;
  }
  return low;
}

function logWealthAt(differences: readonly number[], test: SequentialTest, margin: number): number[] {
  for (const difference of differences) requireDifference(difference);
  return test.bets.map((bet) => {
    const lambda = capped(bet.lambda, margin);
    let wealth = 0;
    for (const difference of differences) wealth += Math.log1p(lambda * (difference - margin));
    return wealth;
  });
}

/** λ ≤ 1/(1 + δ) keeps every factor ≥ 0, since d ≥ −1. */
function capped(lambda: number, margin: number): number {
  return Math.min(lambda, 1 / (1 + margin));
}

function requireDifference(difference: number): void {
  if (!(difference >= -1 && difference <= 1)) {
    throw new RangeError(`sequential test: expected a difference in −1…1, got ${difference}`);
  }
}

function logSumExp(values: readonly number[]): number {
  const largest = Math.max(...values);
  if (largest === Number.NEGATIVE_INFINITY) return largest;
  return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}
