import type { InteractionLog } from "../../models/data/interaction-log.ts";
import { trainingSet } from "../../models/data/interaction-matrix.ts";
import { type Evaluation, evaluate } from "../../models/evaluation/evaluate.ts";
import { mean } from "../../models/evaluation/moments.ts";
import { popularityShares } from "../../models/evaluation/novelty.ts";
import { splitRequests } from "../../models/evaluation/requests.ts";
import type { Progress } from "../../models/long-work.ts";
import { FLOOR_HALF_LIFE_DAYS, fitModel, recommenderOf } from "../../models/model.ts";
import { checkedParams, defaultsUnder } from "../../models/params.ts";
import { counts } from "../../models/popularity/counts.ts";
import { ALL_TIME_DAYS } from "../../models/popularity/popularity.ts";
import type { DataOrder, Params, Phase, Recipe } from "../../models/recipe.ts";
import { unsearched } from "./search-in-process.ts";
import { searchOnTrain } from "./search-on-train.ts";

export interface EvaluateSplitOptions {
  readonly recipe: Recipe;
  readonly train: InteractionLog;
  readonly test: InteractionLog;
  /** What the times of the two files tell; see `splitOrder`. */
  readonly order: DataOrder;
  /** Parameters given by hand: neither defaults nor a search overrule them. */
  readonly fixed: Params;
  /** Trials of a search on a validation set carved from the train file; 0: none. */
  readonly trials: number;
  readonly k: number;
  readonly seed: number;
  readonly threads: number;
  /** Fractions count within a stage. */
  readonly onProgress: (stage: SplitStage, progress: Progress) => void;
}

export type SplitStage = "search" | "fit" | "ask";

export interface SplitEvaluation {
  readonly evaluation: Evaluation;
  /** Mean nDCG over the users with train rows; null when nobody has any. */
  readonly ndcgWithHistory: number | null;
  /** Test users without a train row. */
  readonly coldUsers: number;
  /** Test events whose item has no train row. */
  readonly coldTargets: number;
  readonly params: Params;
  readonly trials: number;
  /** Why the search took these parameters; null without one. */
  readonly choice: string | null;
  readonly searchSeconds: number;
  readonly fitSeconds: number;
}

/** Trials of a search that nobody gave a number: a network costs minutes where the others cost seconds. */
export const DEFAULT_TRIALS: Readonly<Record<Phase, number>> = { 1: 30, 2: 30, 3: 30, 4: 6 };

/** Fits a recipe on a train file, tuned within it if asked, and scores it once on the test file. */
export async function evaluateSplit(options: EvaluateSplitOptions): Promise<SplitEvaluation> {
  const { recipe, train, test, order, fixed, k, seed, threads, onProgress } = options;
  const base = checkedParams(recipe, { ...defaultsUnder(order, recipe), ...fixed });
  const search =
    options.trials === 0
      ? unsearched(base)
      : await searchOnTrain({
          ...options,
          base,
          onProgress: (progress) => onProgress("search", progress),
        });

  const start = performance.now();
  const set = trainingSet(train, new Map());
  const { model } = await fitModel(recipe.name, set, search.params, {
    seed,
    threads,
    floorHalfLifeDays: order === "time" ? FLOOR_HALF_LIFE_DAYS : ALL_TIME_DAYS,
    onProgress: (progress) => onProgress("fit", progress),
  });
  const fitSeconds = (performance.now() - start) / 1000;
  const requests = splitRequests(train, test);
  const evaluation = evaluate(recommenderOf(model), requests, {
    k,
    items: set.interactions.items,
    popularity: popularityShares(counts(set)),
    seed,
    onProgress: (done, total) =>
      onProgress("ask", { fraction: done / total, message: `${done} of ${total} users asked` }),
  });
  const known = evaluation.perUser.filter(({ historyLength }) => historyLength > 0);
  return {
    evaluation,
    ndcgWithHistory: known.length === 0 ? null : mean(known.map(({ ndcg }) => ndcg)),
    coldUsers: requests.coldUsers,
    coldTargets: requests.coldTargets,
    params: search.params,
    trials: search.trials.length,
    choice: search.choice?.why ?? null,
    searchSeconds: search.seconds,
    fitSeconds,
  };
}
