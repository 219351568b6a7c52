/**
 * The sequential test of the first design: fixed bets on differences in [−1, 1]. Attempts opened under it end under
 * it, and its records are judged again by it; new attempts use `e-process.ts`, which needs a third of the users.
 * E_n = Σ_j w_j · Π_{i≤n} (1 + λ_j (d_i − δ)), kept in logs.
 */
export interface FirstTest {
  /** δ */
  readonly margin: number;
  readonly alpha: number;
  /** λ_j and w_j; Σ w_j = 1. */
  readonly bets: readonly { readonly lambda: number; readonly weight: number }[];
}

export interface FirstPlan {
  readonly margin: number;
  readonly alpha: number;
  /** How far beyond the margin the planned lift lies. */
  readonly gap: number;
  readonly variance: number;
}

const SPREAD_BETS = [0.0125, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8];

/** λ_0 = min(.95, gap/σ²) with weight ½; seven spread bets share the other half. */
export function planFirstTest({ margin, alpha, gap, variance }: FirstPlan): FirstTest {
  if (!(margin > -1 && margin < 1 && variance >= 0 && alpha > 0 && alpha < 1)) {
    throw new RangeError(
      `sequential test: expected −1 < margin < 1, variance ≥ 0 and 0 < alpha < 1, got ${margin}, ${variance}, ${alpha}`,
    );
  }
  const planned = Math.min(0.95, gap / Math.max(variance, 1e-12));
  const bets = [
    { lambda: planned, weight: 0.5 },
    ...SPREAD_BETS.map((lambda) => ({ lambda, weight: 0.5 / SPREAD_BETS.length })),
  ];
  return { margin, alpha, bets: bets.map((bet) => ({ ...bet, lambda: capped(bet.lambda, margin) })) };
}

/** ln Π (1 + λ_j (d_i − δ)), one a bet. @throws RangeError for a difference outside [−1, 1] */
export function firstLogWealth(
  differences: readonly number[],
  { bets }: FirstTest,
  margin: number,
): number[] {
  const outside = differences.find((difference) => !(difference >= -1 && difference <= 1));
  if (outside !== undefined) {
    throw new RangeError(`sequential test: expected a difference in −1…1, got ${outside}`);
  }
  return bets.map((bet) => {
    const lambda = capped(bet.lambda, margin);
    let wealth = 0;
    for (const difference of differences) wealth += Math.log1p(lambda * (difference - margin));
    return wealth;
  });
}

/** ln E_n. */
export function firstLogE(differences: readonly number[], test: FirstTest, margin = test.margin): number {
  const logWealth = firstLogWealth(differences, test, margin);
  const terms = test.bets.map(({ weight }, bet) => Math.log(weight) + logWealth[bet]);
  const largest = Math.max(...terms);
  if (largest === Number.NEGATIVE_INFINITY) return largest;
  return largest + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - largest), 0));
}

/** Anytime-valid lower bound of the mean: sup{δ' : E_n(δ') ≥ 1/α}; −1 when nothing is excluded yet. */
export function firstLowerBound(differences: readonly number[], test: FirstTest): number {
  const excludes = (margin: number): boolean => firstLogE(differences, test, margin) >= -Math.log(test.alpha);
  if (!excludes(-1)) return -1;
  let low = -1;
  let high = 1;
  while (high - low > 1e-12) {
    const middle = (low + high) / 2;
    if (excludes(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** λ ≤ 1/(1 + δ) keeps every factor ≥ 0, since d ≥ −1. */
function capped(lambda: number, margin: number): number {
  return Math.min(lambda, 1 / (1 + margin));
}
