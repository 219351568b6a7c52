import type { Manifest } from "../../models/artifact/manifest.ts";
import { type LeverReport, type leverSettings, withLevers } from "../../models/card/levers.ts";
import { eventsOf, partOfUsers, shuffledItems } from "../../models/data/altered-log.ts";
import type { InteractionLog } from "../../models/data/interaction-log.ts";
import { type Agreement, agreement } from "../../models/evaluation/agreement.ts";
import { bootstrapMean } from "../../models/evaluation/bootstrap.ts";
import { pairedDifferences } from "../../models/evaluation/comparison.ts";
import { type LearningCurve, learningCurve } from "../../models/evaluation/learning-curve.ts";
import type { Estimate } from "../../models/evaluation/report.ts";
import type { OnProgress } from "../../models/long-work.ts";
import { fitModel, type Model, recommenderOf } from "../../models/model.ts";
import type { Params } from "../../models/recipe.ts";
import type { StoredEvaluation } from "../../services/evaluations/evaluations.ts";
import type { JobContext } from "../context.ts";
import {
  type Split,
  type Splits,
  splitByTime,
  splitTerms,
  type TrainingData,
  trainingSetThrough,
} from "../data/training-data.ts";
import { holdoutEvaluation, JUDGED_LIST_LENGTH } from "../training/holdout.ts";

/** The learning curve is measured at these shares of the training users, at each of them on these samples. */
const CURVE = [
  { share: 0.25, parts: [0, 1] },
  { share: 0.5, parts: [0, 1] },
] as const;

export interface AnalysisOptions {
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One recipe with its parameters, fitted in many ways and always judged by the same people. */
export class AnalysisBench {
  readonly #context: JobContext;
  readonly #manifest: Manifest;
  readonly #data: TrainingData;
  readonly #splits: Splits;
  readonly #options: AnalysisOptions;
  #fits = 0;
  /** Seconds of the longest fit so far and its evaluation; on a large holdout the evaluation may take longer. */
  #longest = 0;

  constructor(context: JobContext, manifest: Manifest, data: TrainingData, options: AnalysisOptions) {
    this.#context = context;
    this.#manifest = manifest;
    this.#data = data;
    this.#splits = splitByTime(data, splitTerms(context.policy));
    this.#options = options;
  }

  async baseline(): Promise<{ name: string; evaluation: StoredEvaluation }> {
    const version = await this.#baselineVersion();
    if (version === null) return { name: "popularity", evaluation: await this.judgePopularity() };
    const { recipe, params, seed } = (await this.#context.artifacts.manifest(version)).manifest;
    return { name: version, evaluation: await this.#run({ recipe, params, seed }) };
  }

  /** What one more fit with its evaluation is expected to take. */
  secondsAFit(): number {
    return Math.max(this.#manifest.cost.fitSeconds, this.#longest);
  }

  /** The live version, or its predecessor when this version is live. Null where there is neither: plain popularity. */
  async #baselineVersion(): Promise<string | null> {
    const live = await this.#context.registry.live();
    const version = live?.version === this.#manifest.version ? live.previous : live?.version;
    return version ?? null;
  }

  /** How alike the served lists of both are. It says nothing of quality: both may have learned from the holdout. */
  async agreement(model: Model): Promise<Agreement> {
    const version = await this.#baselineVersion();
    const { seed } = this.#manifest;
    const baseline =
      version === null
        ? (await fitModel("popularity", this.#splits.all, {}, { seed })).model
        : (await this.#context.artifacts.load(version)).model;
    const asked = this.#splits.holdout.requests;
    return agreement(recommenderOf(model), recommenderOf(baseline), asked, { k: JUDGED_LIST_LENGTH, seed });
  }

  judge(params: Params = this.#manifest.params): Promise<StoredEvaluation> {
    return this.#run({ params });
  }

  judgePopularity(): Promise<StoredEvaluation> {
    return this.#run({ recipe: "popularity", params: {} });
  }

  /** Fitted on the training events with their items dealt out anew. */
  judgeShuffled(): Promise<StoredEvaluation> {
    const { seed } = this.#manifest;
    return this.#run({ variant: "shuffled items" }, () =>
      this.#trainedOn(shuffledItems(this.#trainingLog(), seed)),
    );
  }

  /** The holdout's model, asked the moments of the validation window, which it was trained on. */
  judgeOnTraining(): Promise<StoredEvaluation> {
    const { holdout, tuning } = this.#splits;
    return this.#run({ variant: "training moments" }, () => ({ ...holdout, requests: tuning.requests }));
  }

  /** Null for a recipe without epochs. */
  async judgeLonger(): Promise<StoredEvaluation | null> {
    const { params } = this.#manifest;
    const names = Object.keys(params).filter((name) => name === "epochs" || name.endsWith(".epochs"));
    if (names.length === 0) return null;
    const doubled = Object.fromEntries(names.map((name) => [name, 2 * Number(params[name])]));
    return this.judge({ ...params, ...doubled });
  }

  /** Samples are drawn by user: those drawn keep their whole history, and the period stays the same. */
  async curve(whole: StoredEvaluation): Promise<LearningCurve> {
    const log = this.#trainingLog();
    const { seed } = this.#manifest;
    const samples = [];
    for (const { share, parts } of CURVE) {
      const logs = parts.map((part) => eventsOf(log, partOfUsers(this.#data.log, share, part, seed)));
      const judged = [];
      for (const [part, of] of logs.entries()) {
        const variant = `${share} of the users, part ${part}`;
        judged.push(await this.#run({ variant }, () => this.#trainedOn(of)));
      }
      const events = logs.reduce((sum, of) => sum + of.timestamps.length, 0) / logs.length;
      samples.push({ share, events, parts: judged.map((one) => ndcgs(one)) });
    }
    samples.push({ share: 1, events: log.timestamps.length, parts: [ndcgs(whole)] });
    return learningCurve(samples, seed);
  }

  async levers(settings: ReturnType<typeof leverSettings>): Promise<LeverReport> {
    const { params } = this.#manifest;
    const off = await this.judge(withLevers(params, settings, () => false));
    const on = await this.judge(withLevers(params, settings, () => true));
    const gains = [];
    for (const lever of settings) {
      const alone = await this.judge(withLevers(params, settings, (other) => other === lever));
      const without = await this.judge(withLevers(params, settings, (other) => other !== lever));
      gains.push({ ...lever, alone: this.gain(alone, off), lastIn: this.gain(on, without) });
    }
    return { levers: gains, together: this.gain(on, off), off: off.summary.ndcg, on: on.summary.ndcg };
  }

  /** Mean paired difference over the users of both, by default with a 95 % interval. */
  gain(ours: StoredEvaluation, theirs: StoredEvaluation, tails?: readonly [number, number]): Estimate {
    const differences = pairedDifferences(ours, theirs).map(({ difference }) => difference);
    return bootstrapMean(differences, { seed: this.#manifest.seed, ...(tails && { tails }) });
  }

  #trainingLog(): InteractionLog {
    return this.#splits.holdout.past;
  }

  /** The holdout split with another log to learn from. The age of an event is still counted from the cut. */
  #trainedOn(log: InteractionLog): Split {
    const { holdout } = this.#splits;
    const train = trainingSetThrough(log, this.#data.catalogue, log.timestamps.length);
    return { ...holdout, train: { ...train, through: holdout.train.through } };
  }

  async #run(
    what: { recipe?: string; params?: Params; seed?: number; variant?: string },
    split: () => Split = () => this.#splits.holdout,
  ): Promise<StoredEvaluation> {
    const { recipe, params, seed } = { ...this.#manifest, ...what };
    const { signal } = this.#options;
    signal?.throwIfAborted();
    const dataSha256 = this.#data.provenance.sha256;
    const key = { dataSha256, recipe, params, seed, variant: what.variant };
    const message = `${this.#manifest.recipe}: measuring, fit ${++this.#fits}`;
    // How many fits there will be is not known before; the bar must move and never be full.
    this.#options.onProgress?.({ fraction: 1 - 1 / (1 + this.#fits / 10), message });
    const threads = this.#context.config.threads;
    const start = performance.now();
    const judged = await holdoutEvaluation(this.#context.evaluations, key, split, { threads, signal });
    if (recipe === this.#manifest.recipe) {
      this.#longest = Math.max(this.#longest, (performance.now() - start) / 1000);
    }
    return judged;
  }
}

/** (users) in the order of the requests, the same for every model. */
function ndcgs({ perUser }: StoredEvaluation): number[] {
  return perUser.map(({ ndcg }) => ndcg);
}
