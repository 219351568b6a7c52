import { type OnProgress, partOf } from "../../models/long-work.ts";
import { fitModel } from "../../models/model.ts";
import { checkedParams } from "../../models/params.ts";
import { recipeNamed } from "../../models/phases.ts";
import type { Recipe, WarmStart } from "../../models/recipe.ts";
import type { FitKey } from "../../services/checkpoints/checkpoints.ts";
import type { VerdictForecast } from "../../services/forecasts/redis-forecasts.ts";
import type { RetrainPayload } from "../../services/queues/types.ts";
import type { JobContext } from "../context.ts";
import { type Splits, splitByTime, splitTerms, type TrainingData } from "../data/training-data.ts";
import { forecastVerdict } from "../judging/forecast-verdict.ts";
import { screen } from "../judging/screen.ts";
import { holdoutEvaluation } from "./holdout.ts";
import { judgeLive } from "./judge-live.ts";
import { forgetPeakMemory } from "./peak-memory.ts";
import { publish } from "./publish.ts";
import { searchByJobs, type TrialFlow } from "./search-by-jobs.ts";
import { type SearchResult, searchInProcess, unsearched } from "./search-in-process.ts";

export interface RetrainResult {
  readonly version: string;
  readonly phase: number;
  readonly recipe: string;
  /** Holdout nDCG@10. */
  readonly ndcg: number;
  /** Holdout nDCG@10 beyond the live version's; null when nothing was live. */
  readonly lift: number | null;
  /** What a verdict on it was foreseen to take, before it was trained; null when nothing was live. */
  readonly forecast: VerdictForecast | null;
  /** What became of it, and why in words. */
  readonly state: string;
  readonly reason: string;
}

export interface RetrainOptions {
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Runs the trials of a search as jobs of their own; without it they run here, one after the other. */
  readonly flow?: TrialFlow | undefined;
}

/** Where each stage begins on the way from 0 to 1. */
const STAGES = { tune: 0.02, holdout: 0.35, fit: 0.65, publish: 0.96, end: 1 } as const;

/**
 * Data → split by time → tune on validation → judge on the holdout, beside the live baseline on the same
 * users → fit on everything → artifact → registry → offline screen. Deterministic in (data, recipe,
 * parameters, seed, warm start), so a job that runs twice publishes one version.
 */
export async function retrain(
  context: JobContext,
  payload: RetrainPayload,
  options: RetrainOptions = {},
): Promise<RetrainResult> {
  forgetPeakMemory();
  const recipe = recipeNamed(payload.recipe);
  const { seed } = payload;
  const stage = (from: number, to: number, name: string) => {
    return partOf(options.onProgress, { name: `${recipe.name}: ${name}`, from, to });
  };
  const fitting = { threads: context.config.threads, signal: options.signal };

  const { requestedBy, reason } = payload;
  context.log.info({ recipe: recipe.name, requestedBy, reason }, "training");
  stage(0, STAGES.tune, "reading the data")({ fraction: 0, message: "" });
  const data = await context.loadTrainingData(payload.searching?.sha256);
  const splits = splitByTime(data, splitTerms(context.policy));
  const [forecast = null] = await forecastVerdict(context, [{ phase: recipe.phase, recipe: recipe.name }]);
  if (forecast !== null) {
    context.log.info({ recipe: recipe.name, baseline: forecast.baseline }, `forecast: ${forecast.sentence}`);
  }
  const dataSha256 = data.provenance.sha256;

  const tuning = stage(STAGES.tune, STAGES.holdout, "tuning");
  const search = await searched(context, recipe, payload, data, splits, {
    ...fitting,
    onProgress: tuning,
    flow: options.flow,
  });
  const params = search.params;
  const { warmStart } = payload;
  const fit: Omit<FitKey, "part"> = { dataSha256, recipe: recipe.name, params, seed, warmStart };

  const onHoldout = stage(STAGES.holdout, STAGES.fit, "fitting for the holdout");
  const evaluation = await holdoutEvaluation(
    context.evaluations,
    { dataSha256, recipe: recipe.name, params, seed },
    () => splits.holdout,
    {
      ...fitting,
      onProgress: onHoldout,
      checkpoint: context.checkpoints.of({ ...fit, part: "holdout" }),
    },
  );
  const theirs = await judgeLive(context, dataSha256, splits.holdout, fitting);
  const lift = theirs === null ? null : evaluation.summary.ndcg.mean - theirs.summary.ndcg.mean;

  const fitStart = performance.now();
  const fitted = await fitModel(recipe.name, splits.all, params, {
    ...fitting,
    seed,
    checkpoint: context.checkpoints.of({ ...fit, part: "all" }),
    warmStart: await warmStartOf(context, payload),
    onProgress: stage(STAGES.fit, STAGES.publish, "fitting on everything"),
  });
  const fitSeconds = (performance.now() - fitStart) / 1000;

  stage(STAGES.publish, STAGES.end, "publishing")({ fraction: 0, message: "" });
  const { manifest } = await publish(context, { data, splits, search, evaluation, fitted, fitSeconds });
  for (const part of ["holdout", "all"] as const) await context.checkpoints.remove({ ...fit, part });
  await context.checkpoints.sweep(context.now());
  const record = await screen(context, manifest.version);
  stage(STAGES.publish, STAGES.end, record.state)({ fraction: 1, message: record.reason });
  return {
    version: manifest.version,
    phase: manifest.phase,
    recipe: recipe.name,
    ndcg: evaluation.summary.ndcg.mean,
    lift,
    forecast,
    state: record.state,
    reason: record.reason,
  };
}

/**
 * Only what is served starts warm. The fit for the holdout starts cold: the earlier version has learned from events that
 * may lie in it by now.
 */
async function warmStartOf(
  context: JobContext,
  { recipe, warmStart }: RetrainPayload,
): Promise<WarmStart | undefined> {
  if (warmStart === undefined) return undefined;
  const { model } = await context.artifacts.load(warmStart);
  if (model.recipe !== recipe) {
    throw new RangeError(
      `warm start: expected a version of ${recipe}, got ${warmStart} of ${model.recipe}; start a refresh from its own kind`,
    );
  }
  return { version: warmStart, items: model.items, arrays: model.arrays };
}

const NOBODY_TO_TUNE_BY =
  "no user comes back within the validation window: nothing to tune by, the defaults stay";

/** On splits of their own, so that what is made to look is let go again before the search. */
function anybodyAsks(data: TrainingData, { policy }: JobContext): boolean {
  return splitByTime(data, splitTerms(policy)).tuning.requests.requests.length > 0;
}

/** Parameters given by hand stay as they are; the others are searched on the validation window, when asked for. */
async function searched(
  context: JobContext,
  recipe: Recipe,
  payload: RetrainPayload,
  data: TrainingData,
  splits: Splits,
  options: RetrainOptions & { readonly threads: number },
): Promise<SearchResult> {
  const fixed = payload.params ?? {};
  const base = checkedParams(recipe, fixed);
  if (payload.tune !== true) return unsearched(base);
  if (payload.searching === undefined && !anybodyAsks(data, context)) {
    context.log.info({ recipe: recipe.name }, NOBODY_TO_TUNE_BY);
    options.onProgress?.({ fraction: 1, message: NOBODY_TO_TUNE_BY });
    return unsearched(base);
  }
  const space = Object.fromEntries(Object.entries(recipe.space).filter(([name]) => !(name in fixed)));
  const { trials, trialsAtOnce: roundSize } = context.policy.training;
  const search = { recipe, base, space, trials, roundSize, seed: payload.seed, ...options };
  return options.flow === undefined
    ? searchInProcess({ ...search, split: splits.tuning })
    : searchByJobs(context, options.flow, data, search);
}
