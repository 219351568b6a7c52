import { summary } from "../../models/evaluation/evaluate.ts";
import { recipeNamed } from "../../models/phases.ts";
import type { Params } from "../../models/recipe.ts";
import { withBudget } from "../../models/tuning/budget.ts";
import type { EvaluationKey } from "../../services/evaluations/evaluations.ts";
import type { TrialOutcome, TrialPayload } from "../../services/queues/types.ts";
import type { JobContext } from "../context.ts";
import { type Split, splitByTime, splitTerms, userLimits } from "../data/training-data.ts";
import { fitAndScore } from "./fit-and-score.ts";

/** What a trial is remembered by: a validation window is not the holdout of the same data. */
export function validationKey(
  dataSha256: string,
  recipe: string,
  params: Params,
  seed: number,
): EvaluationKey {
  return { dataSha256: `${dataSha256}:validation`, recipe, params, seed };
}

interface Loaded {
  readonly key: string;
  readonly sha256: string;
  readonly split: Split;
}

/** Child processes are used again: most trials of a search find its data in memory. */
let loaded: Loaded | null = null;

async function splitOf(context: JobContext, { data }: TrialPayload): Promise<Loaded> {
  const key = JSON.stringify([data, splitTerms(context.policy), userLimits(context.policy)]);
  if (loaded?.key === key) return loaded;
  const known = await context.loadTrainingData(data.sha256);
  const { tuning } = splitByTime(known, splitTerms(context.policy));
  loaded = { key, sha256: known.provenance.sha256, split: tuning };
  return loaded;
}

/**
 * One trial of a search. It is remembered before it is reported, so that a process killed in between has not worked in
 * vain. The outcome names the data it saw: after a compaction that is no longer what was asked for.
 */
export async function runTrialJob(
  context: JobContext,
  payload: TrialPayload,
  signal?: AbortSignal,
): Promise<TrialOutcome> {
  const { recipe, seed } = payload;
  const params = withBudget(recipeNamed(recipe), payload.params, payload.budget);
  const { sha256, split } = await splitOf(context, payload);
  const key = validationKey(sha256, recipe, params, seed);
  const known = await context.evaluations.get(key);
  if (known !== null) return { score: known.summary.metrics.ndcg, seconds: 0, dataSha256: sha256 };
  const fit = { dataSha256: sha256, part: "validation", recipe, params, seed } as const;
  const tried = await fitAndScore(
    recipe,
    split,
    { params, seed },
    {
      threads: context.config.threads,
      checkpoint: context.checkpoints.of(fit),
      signal,
    },
  );
  await context.checkpoints.remove(fit);
  if ("failure" in tried) return { ...tried, dataSha256: sha256 };
  const { evaluation, seconds } = tried;
  await context.evaluations.put(key, {
    summary: summary(evaluation, seed),
    perUser: evaluation.perUser,
    faults: evaluation.faults,
    window: { trainedThrough: split.train.through, judgedFrom: split.judgedFrom },
  });
  return { score: evaluation.metrics.ndcg, seconds, dataSha256: sha256 };
}
