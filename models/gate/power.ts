import { logNormalCdf, normalCdf } from "../evaluation/distributions.ts";
import { type EProcessState, plannedGap, planTest, type SequentialTest, type TestPlan } from "./e-process.ts";

/** Beyond this many users an answer would only be false precision. */
const TOO_MANY_USERS = 1e7;

/** A variance below this is a coincidence of few users, not knowledge. */
const SMALLEST_VARIANCE = 1e-4;

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
  return quickest(test, gap, variance, power, () => 0);
}

/** About how many further users the present lift would need: the median of the same first passage from here. */
export function usersStillNeeded(
  state: EProcessState,
  test: SequentialTest,
  lift: number,
  variance: number,
): number | null {
  return quickest(test, lift - test.margin, variance, 0.5, (bet) => state.logWealth[bet]);
}

/** n_80 of the plan, and n_max = 2·n_80 after which a challenger without proof is let go. */
export function plannedUsers(plan: TestPlan): { readonly n80: number; readonly nMax: number } {
  const n80 = usersForPower(planTest(plan), plannedGap(plan), plan.variance, 0.8) ?? TOO_MANY_USERS;
  return { n80, nMax: 2 * n80 };
}

function quickest(
  test: SequentialTest,
  gap: number,
  variance: number,
  power: number,
  wealth: (bet: number) => number,
): number | null {
  const spread = Math.max(variance, SMALLEST_VARIANCE);
  let best = Number.POSITIVE_INFINITY;
  test.bets.forEach(({ lambda, weight }, bet) => {
    const drift = lambda * gap - (lambda * lambda * (spread + gap * gap)) / 2;
    const barrier = -Math.log(test.alpha) - Math.log(weight) - wealth(bet);
    if (drift > 0) best = Math.min(best, passageTime(drift, lambda * Math.sqrt(spread), barrier, power));
  });
  return best > TOO_MANY_USERS ? null : Math.ceil(best);
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
