/**
 * Stage B's test. One paired difference d_i in [−τ, τ] a user, in order of arrival; H0: mean ≤ δ.
 * A gambler starts with 1 and bets on d_i > δ; if H0 is true the expected wealth never grows, so the chance that
 * it ever reaches 1/α is at most α (Ville 1939): one may look after every user and stop when one likes. Any bet
 * that is fixed before its user comes, and never so large that one user could ruin it, keeps that promise; a
 * mixture of bets keeps it too.
 *   x_i = d_i − δ,  c = .98/(τ + δ),  every bet in [0, c]
 *   planned λ = m_0/s_0                               m_0, s_0: mean and mean square of x as the holdout foretells them
 *   kelly   λ_i = (30·m_0 + Σ_{<i} x)/(30·s_0 + Σ_{<i} x²), and half of it
 *   grid    λ = c·2^{−j}, j = 0 … 5
 * E_n = Σ_j w_j · Π_{i≤n} (1 + λ_ij x_i), kept in logs. The holdout can only quicken the test, never mislead it.
 * Source: Waudby-Smith & Ramdas, JRSS B 86(1), 2024; Howard et al., Annals of Statistics 49(2), 2021.
 */
export interface SequentialTest {
  /** δ */
  readonly margin: number;
  /** α that it may spend. */
  readonly alpha: number;
  /** τ */
  readonly range: number;
  /** m_0 and s_0. */
  readonly expected: { readonly excess: number; readonly square: number };
}

/** Wealth after some users; small and serialisable, so a job can carry on where another stopped. */
export interface EProcessState {
  readonly users: number;
  /** Σ x and Σ x². */
  readonly sum: number;
  readonly squares: number;
  /** ln Π (1 + λ_i x_i), one a bet, in the order of WEIGHTS. */
  readonly logWealth: readonly number[];
}

const GRID_BETS = 6;
/** Of planned, kelly, half of kelly, and the grid; they add up to 1. */
export const WEIGHTS: readonly number[] = [
  0.3,
  0.4,
  0.1,
  ...new Array<number>(GRID_BETS).fill(0.2 / GRID_BETS),
];
const LOG_WEIGHTS = WEIGHTS.map(Math.log);

/** The largest bet as a share of the one that a single user could ruin. */
const BOLDEST = 0.98;
/** Users that the holdout's foresight counts for in Kelly's bet. */
const FORESIGHT_USERS = 30;

export interface EProcessPlan {
  readonly margin: number;
  readonly alpha: number;
  readonly range: number;
  /** What the mean lies beyond the margin by, if there is anything to be found. */
  readonly excess: number;
  /** σ² of a user's difference. */
  readonly variance: number;
}

export function planTest({ margin, alpha, range, excess, variance }: EProcessPlan): SequentialTest {
  if (!(range > 0 && Math.abs(margin) < range && alpha > 0 && alpha < 1 && excess > 0 && variance >= 0)) {
    throw new RangeError(
      `sequential test: expected −range < margin < range, 0 < alpha < 1, excess > 0 and variance ≥ 0, got ${margin}, ${range}, ${alpha}, ${excess}, ${variance}`,
    );
  }
  return { margin, alpha, range, expected: { excess, square: variance + excess * excess } };
}

/** The bets on the next user, in the order of WEIGHTS: known before that user's difference is. */
export function betsOn(state: Pick<EProcessState, "sum" | "squares">, test: SequentialTest): number[] {
  const boldest = largestBet(test, test.margin);
  const { excess, square } = test.expected;
  const within = (bet: number): number => Math.min(Math.max(bet, 0), boldest);
  const kelly = within((FORESIGHT_USERS * excess + state.sum) / (FORESIGHT_USERS * square + state.squares));
  const bets = [within(excess / square), kelly, kelly / 2];
  for (let halvings = 0; halvings < GRID_BETS; halvings++) bets.push(boldest / 2 ** halvings);
  return bets;
}

export function startEProcess(): EProcessState {
  return { users: 0, sum: 0, squares: 0, logWealth: WEIGHTS.map(() => 0) };
}

/** The state after one more user. @throws RangeError for a difference outside [−τ, τ] */
export function nextEProcess(state: EProcessState, test: SequentialTest, difference: number): EProcessState {
  requireDifference(difference, test.range);
  const excess = difference - test.margin;
  const bets = betsOn(state, test);
  return {
    users: state.users + 1,
    sum: state.sum + excess,
    squares: state.squares + excess * excess,
    logWealth: state.logWealth.map((wealth, bet) => wealth + Math.log1p(bets[bet] * excess)),
  };
}

/** The state after all differences, from scratch. */
export function runEProcess(differences: readonly number[], test: SequentialTest): EProcessState {
  let state = startEProcess();
  for (const difference of differences) state = nextEProcess(state, test, difference);
  return state;
}

/** ln E_n of a state. */
export function logE({ logWealth }: Pick<EProcessState, "logWealth">): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let bet = 0; bet < logWealth.length; bet++) {
    largest = Math.max(largest, LOG_WEIGHTS[bet] + logWealth[bet]);
  }
  let sum = 0;
  for (let bet = 0; bet < logWealth.length; bet++) {
    sum += Math.exp(LOG_WEIGHTS[bet] + logWealth[bet] - largest);
  }
  return largest + Math.log(sum);
}

/** Whether the evidence suffices: E_n ≥ 1/α. */
export function isProven(state: EProcessState, { alpha }: Pick<SequentialTest, "alpha">): boolean {
  return logE(state) >= -Math.log(alpha);
}

/**
 * Anytime-valid lower bound of the mean: sup{δ' : E_n(δ') ≥ 1/α}, by bisection; −τ when nothing is excluded yet.
 * E_n(δ') places the bets of δ, cut down where one user could ruin them at δ': they are fixed beforehand for any δ',
 * and E_n falls as δ' rises, since d ≥ −τ.
 */
export function lowerBound(differences: readonly number[], test: SequentialTest): number {
  const threshold = -Math.log(test.alpha);
  const placed = betsOnEach(differences, test);
  const excludes = (margin: number): boolean => {
    const boldest = largestBet(test, margin);
    const logWealth = placed.map((bets) => {
      let wealth = 0;
      for (let user = 0; user < differences.length; user++) {
        wealth += Math.log1p(Math.min(bets[user], boldest) * (differences[user] - margin));
      }
      return wealth;
    });
    return logE({ logWealth }) >= threshold;
  };
  let low = -test.range;
  if (!excludes(low)) return low;
  let high = test.range;
  while (high - low > 1e-12) {
    const middle = (low + high) / 2;
    if (excludes(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** The same test the other way round, for −d: whether the mean is proven below δ. */
export function mirrored(test: SequentialTest, alpha: number, excess: number): SequentialTest {
  const variance = test.expected.square - test.expected.excess ** 2;
  return planTest({ margin: -test.margin, alpha, range: test.range, excess, variance });
}

/** (bets × users) what was staked on each user. */
function betsOnEach(differences: readonly number[], test: SequentialTest): Float64Array[] {
  const placed = WEIGHTS.map(() => new Float64Array(differences.length));
  let state = { sum: 0, squares: 0 };
  for (let user = 0; user < differences.length; user++) {
    const bets = betsOn(state, test);
    for (let bet = 0; bet < bets.length; bet++) placed[bet][user] = bets[bet];
    const excess = differences[user] - test.margin;
    state = { sum: state.sum + excess, squares: state.squares + excess * excess };
  }
  return placed;
}

/** Keeps every factor 1 + λ(d − δ) above 0, since d ≥ −τ. */
function largestBet({ range }: SequentialTest, margin: number): number {
  return BOLDEST / (range + margin);
}

function requireDifference(difference: number, range: number): void {
  // What is capped on both sides may stray from the range by the last bit of its rounding.
  if (!(Math.abs(difference) <= range * (1 + 1e-12))) {
    throw new RangeError(`sequential test: expected a difference in −${range}…${range}, got ${difference}`);
  }
}
