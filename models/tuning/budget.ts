import type { Params, Recipe } from "../recipe.ts";

/** Smallest share that a trial is judged by; what less tells of a fit is too little (`npm run bench:search`). */
const SMALLEST_BUDGET = 1 / 3;
/** With fewer trials than this there is no best third to lift. */
const FEWEST_TRIALS = 6;

/** Where successive halving of a recipe begins; 1 where nothing can be halved. */
export function smallestBudget(recipe: Recipe, params: Params, trials: number): number {
  const divisible = (recipe.budget ?? []).some((name) => Number(params[name]) > 1);
  return divisible && trials >= FEWEST_TRIALS ? SMALLEST_BUDGET : 1;
}

/** The parameters of a fit that is given a share of the full budget, 0 … 1: that share of each, but at least 1. */
export function withBudget(recipe: Recipe, params: Params, share: number): Params {
  const shares = (recipe.budget ?? []).map((name) => [
    name,
    Math.max(1, Math.round(share * Number(params[name]))),
  ]);
  return { ...params, ...Object.fromEntries(shares) };
}
