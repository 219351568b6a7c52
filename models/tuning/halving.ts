import type { Trial } from "../artifact/manifest.ts";

/**
 * Budgets of successive halving, smallest first: each rung gives 1/eta of the configurations eta times the budget,
 * and the last gives the full one, 1. What a budget is a share of (epochs, data) is the evaluator's business.
 * Source: Jamieson & Talwalkar, AISTATS 2016.
 */
export function halvingRungs(smallest: number, eta = 3): readonly number[] {
  if (!(smallest > 0 && smallest <= 1 && eta > 1)) {
    throw new RangeError(
      `halving: expected a smallest budget in (0, 1] and eta above 1, got ${smallest} and ${eta}`,
    );
  }
  const rungs = [1];
  while (rungs[0] / eta >= smallest * (1 - 1e-9)) rungs.unshift(rungs[0] / eta);
  return rungs;
}

export interface Standing {
  /** Whether a configuration was asked at a budget already. */
  started(trial: Trial, budget: number): boolean;
  /** Lifted whatever its place: the starting point, which the best is compared with at the full budget. */
  always(trial: Trial): boolean;
}

/**
 * The configuration to lift to the next rung, if any: among the best 1/eta of a rung, one that was not lifted yet;
 * higher rungs first. Needs no rung to be complete, so workers never wait for each other. What failed is never lifted.
 * Source: ASHA, Li et al., MLSys 2020, algorithm 2.
 */
export function nextPromotion(
  rungs: readonly number[],
  eta: number,
  trials: readonly Trial[],
  { started, always }: Standing,
): { readonly trial: Trial; readonly budget: number } | null {
  for (let rung = rungs.length - 2; rung >= 0; rung--) {
    const finished = trials.filter(({ budget }) => budget === rungs[rung]);
    const ranked = finished
      .map((trial, order) => ({ trial, order }))
      .sort((a, b) => b.trial.score - a.trial.score || a.order - b.order);
    const places = Math.floor(finished.length / eta);
    const next = ranked.find(
      ({ trial }, place) =>
        (place < places || always(trial)) && trial.failure === undefined && !started(trial, rungs[rung + 1]),
    );
    if (next !== undefined) return { trial: next.trial, budget: rungs[rung + 1] };
  }
  return null;
}
