import { logNormalCdf, normalCdf } from "../evaluation/distributions.ts";
import { betsOn, type EProcessState, type SequentialTest, startEProcess, WEIGHTS } from "./e-process.ts";

/** Beyond this many users an answer would only be false precision. */
const TOO_MANY_USERS = 1e7;

/** A variance below this is a coincidence of few users, not knowledge. */
const SMALLEST_VARIANCE = 1e-4;

/** What Kelly's bet must first learn costs it about half of its stake. */
const KELLY_AFTER_LEARNING = 0.5;

/** A bet, its share of the stake, and ln of what it has made so far. */
export interface RunningBet {
  readonly lambda: number;
  readonly weight: number;
  readonly logWealth: number;
}

/**
 * Users after which the test has ended in favour of a challenger with the given lift beyond the margin with
 * probability `power`. Each bet's log wealth is taken as a Brownian motion with drift
 * g = λΔ − λ²(σ² + Δ²)/2 and volatility λσ that must climb ln(1/α) − ln w; the quickest bet counts.
 * A plan, not part of the guarantee. Null when no bet grows.
 */
export function usersForPower(
  test: SequentialTest,
  gap: number,
  variance: number,
  power: number,
): number | null {
  const bets = runningBets(startEProcess(), test, gap, variance);
  return usersUntil(bets, { alpha: test.alpha, gap, variance, power });
}

/** About how many further users the present lift would need: the median of the same first passage from here. */
export function usersStillNeeded(
  state: EProcessState,
  test: SequentialTest,
  lift: number,
  variance: number,
): number | null {
  const gap = lift - test.margin;
  return usersUntil(runningBets(state, test, gap, variance), {
    alpha: test.alpha,
    gap,
    variance,
    power: 0.5,
  });
}

/** The fixed bets as they are; Kelly's as what it comes to when it has learned the gap. */
function runningBets(
  state: EProcessState,
  test: SequentialTest,
  gap: number,
  variance: number,
): RunningBet[] {
  const bets = betsOn(state, test);
  const boldest = Math.max(...bets);
  const learned = Math.min(Math.max(gap / (Math.max(variance, SMALLEST_VARIANCE) + gap * gap), 0), boldest);
  return bets.map((lambda, bet) => {
    const logWealth = state.logWealth[bet];
    if (bet === 1) return { lambda: learned, weight: WEIGHTS[bet] * KELLY_AFTER_LEARNING, logWealth };
    return { lambda: bet === 2 ? learned / 2 : lambda, weight: WEIGHTS[bet], logWealth };
  });
}

/** When the quickest of the bets has brought the wealth to 1/α with the given probability. */
export function usersUntil(
  bets: readonly RunningBet[],
  { alpha, gap, variance, power }: { alpha: number; gap: number; variance: number; power: number },
): number | null {
  const spread = Math.max(variance, SMALLEST_VARIANCE);
  let best = Number.POSITIVE_INFINITY;
  for (const { lambda, weight, logWealth } of bets) {
    const drift = lambda * gap - (lambda * lambda * (spread + gap * gap)) / 2;
    const barrier = -Math.log(alpha) - Math.log(weight) - logWealth;
    if (drift > 0) best = Math.min(best, passageTime(drift, lambda * Math.sqrt(spread), barrier, power));
  }
  return best > TOO_MANY_USERS ? null : Math.ceil(best);
}

/** n_80 of a plan, and n_max = 2·n_80 after which a challenger without proof is let go. */
export function plannedLength(n80: number | null): { readonly n80: number; readonly nMax: number } {
  const users = n80 ?? TOO_MANY_USERS;
  return { n80: users, nMax: 2 * users };
}

/** Time by which the barrier is reached with the given probability, by bisection on a doubling bracket. */
function passageTime(drift: number, volatility: number, barrier: number, probability: number): number {
  if (barrier <= 0) return 0;
  let high = 1;
  while (firstPassage(high, drift, volatility, barrier) < probability) {
    high *= 2;
    if (high > TOO_MANY_USERS) return Number.POSITIVE_INFINITY;
  }
  let low = high / 2;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (firstPassage(middle, drift, volatility, barrier) < probability) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * P(a Brownian motion with drift g and volatility v reaches C by time n)
 * = Φ((gn − C)/(v√n)) + exp(2gC/v²)·Φ(−(gn + C)/(v√n)): the inverse Gaussian CDF.
 * Source: Chhikara & Folks, The Inverse Gaussian Distribution, 1989, section 2.
 */
export function firstPassage(time: number, drift: number, volatility: number, barrier: number): number {
  const spread = volatility * Math.sqrt(time);
  const direct = normalCdf((drift * time - barrier) / spread);
  const reflected =
    (2 * drift * barrier) / (volatility * volatility) + logNormalCdf(-(drift * time + barrier) / spread);
  return Math.min(1, direct + Math.exp(reflected));
}
