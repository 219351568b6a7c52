import type { Choice, Trial } from "../../models/artifact/manifest.ts";
import type { OnProgress, Progress } from "../../models/long-work.ts";
import type { Params, Recipe, SearchSpace } from "../../models/recipe.ts";
import { bestTrial } from "../../models/tuning/best-trial.ts";
import { smallestBudget, withBudget } from "../../models/tuning/budget.ts";
import { choose } from "../../models/tuning/choice.ts";
import { runSearch } from "../../models/tuning/run-search.ts";
import type { SearchOptions } from "../../models/tuning/search.ts";
import { fitAndScore, type ValidationSplit } from "./fit-and-score.ts";

export interface SearchResult {
  readonly params: Params;
  /** Every trial, the defaults first. */
  readonly trials: readonly Trial[];
  /** Null when there was nothing to search. */
  readonly choice: Choice | null;
  readonly seconds: number;
}

export interface SearchRun {
  readonly recipe: Recipe;
  /** Where the search starts, and what stays of the parameters outside the space. */
  readonly base: Params;
  /** What to search; usually the recipe's own space. */
  readonly space: SearchSpace;
  readonly split: ValidationSplit;
  /** What may be spent, in trials of full length. */
  readonly trials: number;
  /** Smallest share of it that a trial is judged by first (default: as the recipe allows). */
  readonly smallestBudget?: number | undefined;
  /** Trials proposed at once (default 1): none of them learns from another of the same round. */
  readonly roundSize?: number | undefined;
  readonly seed: number;
  readonly threads?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** No search: parameters as they are given. */
export function unsearched(params: Params): SearchResult {
  return { params, trials: [], choice: null, seconds: 0 };
}

/** What decides which trials are asked, besides what they score. */
export function searchOptions(options: Omit<SearchRun, "split">): SearchOptions {
  const { recipe, base: defaults, space, trials, seed } = options;
  return {
    space,
    defaults,
    trials,
    seed,
    smallestBudget: options.smallestBudget ?? smallestBudget(recipe, defaults, trials),
  };
}

/** How far a search is: `finished` trials, and `within` the one of `budget` that runs now. */
export function searchProgress(
  finished: readonly Trial[],
  of: number,
  within?: Progress,
  budget = 0,
): Progress {
  const spent = finished.reduce((sum, { budget }) => sum + budget, 0);
  const failed = finished.filter(({ failure }) => failure !== undefined).length;
  const best = bestTrial(finished);
  const halved = finished.some(({ budget }) => budget < 1);
  const parts = [
    halved
      ? `trial ${finished.length}, ${spent.toFixed(1)} of ${of} full ones`
      : `trial ${finished.length} of ${of}`,
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(best === null ? [] : [`best nDCG@10 ${best.score.toFixed(4)}`]),
  ];
  if (within !== undefined) parts.push(within.message);
  const done = spent + budget * (within?.fraction ?? 0);
  return { fraction: Math.min(1, done / of), message: parts.join(", ") };
}

/** Searches parameters on a validation split by nDCG@10. The same seed and split give the same parameters. */
export async function searchInProcess(options: SearchRun): Promise<SearchResult> {
  const { recipe, base, space, split, roundSize, signal } = options;
  if (Object.keys(space).length === 0) return unsearched(base);
  const start = performance.now();
  /** In the order of the trials. */
  const perUser: (readonly number[])[] = [];
  const done: Trial[] = [];
  const trials = await runSearch(
    searchOptions(options),
    async ({ params, seed, budget }) => {
      const fitted = { params: withBudget(recipe, params, budget), seed };
      const onProgress = (within: Progress): void =>
        options.onProgress?.(searchProgress(done, options.trials, within, budget));
      const tried = await fitAndScore(recipe.name, split, fitted, { ...options, onProgress });
      if ("failure" in tried) {
        perUser.push([]);
        return tried;
      }
      const { evaluation, seconds } = tried;
      perUser.push(evaluation.perUser.map(({ ndcg }) => ndcg));
      return { score: evaluation.metrics.ndcg, seconds };
    },
    {
      signal,
      roundSize,
      onTrial: (trial) => {
        done.push(trial);
        options.onProgress?.(searchProgress(done, options.trials));
      },
    },
  );
  const [taken, choice] = await choose(trials, (trial) => perUser[trials.indexOf(trial)]);
  return { params: taken.params, trials, choice, seconds: (performance.now() - start) / 1000 };
}
