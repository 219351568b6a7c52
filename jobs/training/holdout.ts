import { compressionLoss } from "../../models/artifact/compression-loss.ts";
import { evaluate, nobodyAsked, summary, userFigures } from "../../models/evaluation/evaluate.ts";
import { noFaults } from "../../models/evaluation/list-faults.ts";
import { popularityShares } from "../../models/evaluation/novelty.ts";
import { type FittedModel, fitModel, recommenderOf } from "../../models/model.ts";
import { counts } from "../../models/popularity/counts.ts";
import type { FitOptions, Params } from "../../models/recipe.ts";
import type { EvaluationKey, Evaluations, StoredEvaluation } from "../../services/evaluations/evaluations.ts";
import type { Split } from "../data/training-data.ts";

/** Length of the lists that models are judged by. */
export const JUDGED_LIST_LENGTH = 10;

/**
 * Asks a model the requests of a split. Its items need not be those of the split: it may come from elsewhere. A split in
 * which nobody asks judges nobody; whether that is enough is for the screen to say.
 */
export function judgeOn(
  { train, requests, judgedFrom }: Split,
  { model, exact }: Pick<FittedModel, "model" | "exact">,
  seed: number,
  trainedThrough: number = train.through,
): StoredEvaluation {
  const window = { trainedThrough, judgedFrom };
  if (requests.requests.length === 0) {
    const asked = nobodyAsked(JUDGED_LIST_LENGTH, requests.dropped);
    return { summary: asked, perUser: [], faults: noFaults(), window };
  }
  const { items } = train.interactions;
  const perItem = counts(train);
  const events = Float32Array.from(model.items.ids, (id) => perItem[items.indexOf(id) ?? -1] ?? 0);
  const evaluation = evaluate(recommenderOf(model), requests, {
    k: JUDGED_LIST_LENGTH,
    catalogue: train.catalogue,
    items: model.items,
    popularity: popularityShares(events),
    seed,
  });
  return {
    summary: summary(evaluation, seed),
    perUser: userFigures(evaluation),
    faults: evaluation.faults,
    window,
    ...(exact !== undefined && {
      compression: compressionLoss({ compressed: model, exact }, requests, { k: JUDGED_LIST_LENGTH, seed }),
    }),
  };
}

/** Fits on the past of a split and judges on what came after; remembered by its key, and then not even split. */
export async function holdoutEvaluation(
  evaluations: Evaluations,
  key: EvaluationKey & { readonly params: Params },
  split: () => Split,
  options: Omit<FitOptions, "seed">,
): Promise<StoredEvaluation> {
  const known = await evaluations.get(key);
  if (known !== null) return known;
  const toJudge = split();
  const fitted = await fitModel(key.recipe, toJudge.train, key.params, { ...options, seed: key.seed });
  const evaluation = judgeOn(toJudge, fitted, key.seed);
  await evaluations.put(key, evaluation);
  return evaluation;
}
