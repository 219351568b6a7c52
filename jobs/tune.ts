import type { InteractionLog } from "../models/data/interaction-log.ts";
import { type TrainingSet, trainingSet } from "../models/data/interaction-matrix.ts";
import { carveLike } from "../models/evaluation/carve.ts";
import { type Evaluation, evaluate } from "../models/evaluation/evaluate.ts";
import { mean, sampleVariance } from "../models/evaluation/moments.ts";
import { popularityShares } from "../models/evaluation/novelty.ts";
import { type RequestSet, splitRequests } from "../models/evaluation/requests.ts";
import type { Trial } from "../models/manifest.ts";
import { fitModel, recommenderOf } from "../models/model.ts";
import { counts } from "../models/popularity/counts.ts";
import type {
  DataOrder,
  FitOptions,
  Params,
  Recipe,
  SearchSpace,
  TrainingProgress,
} from "../models/recipe.ts";
import { runSearch } from "../models/tuning/run-search.ts";
import type { Suggestion } from "../models/tuning/search.ts";
import { isWithin } from "../models/tuning/space.ts";

export interface SearchResult {
  readonly params: Params;
  /** Every trial, the defaults first. */
  readonly trials: readonly Trial[];
  readonly seconds: number;
}

export interface TuneOptions {
  readonly recipe: Recipe;
  /** Where the search starts, and what stays of the parameters outside the space. */
  readonly base: Params;
  /** What to search; usually the recipe's own space. */
  readonly space: SearchSpace;
  readonly split: { readonly train: TrainingSet; readonly requests: RequestSet };
  readonly trials: number;
  /** Trials asked before the first of them is told (default 1): what each learns from depends on it. */
  readonly roundSize?: number | undefined;
  readonly seed: number;
  readonly threads?: number | undefined;
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Fits with the parameters of one trial and asks the validation window. */
export async function tryParams(
  recipe: string,
  { train, requests }: TuneOptions["split"],
  { params, seed }: Pick<Suggestion, "params" | "seed">,
  {
    threads,
    signal,
    checkpoint,
    onProgress,
  }: Pick<FitOptions, "threads" | "signal" | "checkpoint" | "onProgress">,
): Promise<{ evaluation: Evaluation; seconds: number }> {
  const start = performance.now();
  const { model } = await fitModel(recipe, train, params, { seed, threads, signal, checkpoint, onProgress });
  const { items } = train.interactions;
  const popularity = popularityShares(counts(train));
  const evaluation = evaluate(recommenderOf(model), requests, { items, popularity, seed });
  return { evaluation, seconds: (performance.now() - start) / 1000 };
}

/** Searches parameters on a validation split by nDCG@10. The same seed and split give the same parameters. */
export async function tune(options: TuneOptions): Promise<SearchResult> {
  const { recipe, base, space, split, seed } = options;
  if (Object.keys(space).length === 0) return { params: base, trials: [], seconds: 0 };
  const start = performance.now();
  const scoresOf = new Map<number, readonly number[]>();
  let done = 0;
  const { best, trials } = await runSearch(
    { space, defaults: base, trials: options.trials, seed },
    async (suggestion) => {
      const { evaluation, seconds } = await tryParams(recipe.name, split, suggestion, {
        ...options,
        onProgress: ({ fraction, message }) =>
          options.onProgress?.({
            fraction: (done + fraction) / options.trials,
            message: `trial ${done + 1} of ${options.trials}: ${message}`,
          }),
      });
      scoresOf.set(
        evaluation.metrics.ndcg,
        evaluation.perUser.map(({ ndcg }) => ndcg),
      );
      return { score: evaluation.metrics.ndcg, seconds };
    },
    {
      signal: options.signal,
      roundSize: options.roundSize ?? 1,
      onTrial: ({ score }) => {
        done++;
        const message = `trial ${done} of ${options.trials}, nDCG@10 ${score.toFixed(4)}`;
        options.onProgress?.({ fraction: done / options.trials, message });
      },
    },
  );
  const [first] = trials;
  const better = isBeyondNoise(scoresOf.get(best.score) ?? [], scoresOf.get(first.score) ?? []);
  const { params } = better ? best : first;
  return { params, trials, seconds: (performance.now() - start) / 1000 };
}

/**
 * The one-standard-error rule: the best of many trials on few users is best by luck as often as not, so it
 * replaces the starting point only when it leads by more than one standard error of the paired difference.
 * Source: Breiman et al., Classification and Regression Trees, 1984, section 3.4.3.
 */
export function isBeyondNoise(best: readonly number[], start: readonly number[]): boolean {
  const users = best.length;
  if (users < 2 || users !== start.length) return false;
  const differences = best.map((score, user) => score - start[user]);
  return mean(differences) > Math.sqrt(sampleVariance(differences) / users);
}

export interface TuneOnTrainOptions {
  readonly recipe: Recipe;
  readonly base: Params;
  /** Parameters that were given by hand and must not be searched. */
  readonly fixed: Params;
  readonly train: InteractionLog;
  /** Looked at for how it was cut, never for what is in it. */
  readonly test: InteractionLog;
  readonly order: DataOrder;
  readonly trials: number;
  readonly seed: number;
  readonly threads?: number | undefined;
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
}

/** Carves a validation set from a train file, the way its test file was made, and searches on it. */
export async function tuneOnTrain(options: TuneOnTrainOptions): Promise<SearchResult> {
  const { recipe, base, fixed, order, seed } = options;
  const { train, validation } = carveLike(options.train, options.test, order, seed);
  const space = Object.fromEntries(
    Object.entries(recipe.space).filter(([name, range]) => !(name in fixed) && isWithin(range, base[name])),
  );
  const split = { train: trainingSet(train, new Map()), requests: splitRequests(train, validation) };
  return tune({ ...options, space, split });
}
