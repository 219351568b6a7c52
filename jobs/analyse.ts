import { eventsOf, partOfUsers, shuffledItems } from "../models/data/altered-log.ts";
import type { InteractionLog } from "../models/data/interaction-log.ts";
import { type Agreement, agreement } from "../models/evaluation/agreement.ts";
import { bootstrapMean } from "../models/evaluation/bootstrap.ts";
import { pairedDifferences } from "../models/evaluation/comparison.ts";
import { type LearningCurve, learningCurve } from "../models/evaluation/learning-curve.ts";
import type { Estimate } from "../models/evaluation/report.ts";
import type { Findings } from "../models/findings.ts";
import { type DiagnosisEvidence, diagnose } from "../models/gate/diagnosis.ts";
import { type LeverReport, leverSettings, withLevers } from "../models/levers.ts";
import type { Manifest } from "../models/manifest.ts";
import { fitModel, type Model, recommenderOf } from "../models/model.ts";
import { recipeNamed } from "../models/phases.ts";
import type { Params, TrainingProgress } from "../models/recipe.ts";
import type { StoredEvaluation } from "../services/evaluations/evaluations.ts";
import type { AnalysisPayload } from "../services/queues/types.ts";
import type { JobContext } from "./context.ts";
import { holdoutEvaluation, JUDGED_LIST_LENGTH } from "./holdout.ts";
import {
  type Split,
  type Splits,
  splitByTime,
  type TrainingData,
  trainingSetThrough,
} from "./training-data.ts";

/** Shares of the training users that the learning curve is measured at, each in so many parts. */
const CURVE = [
  { share: 0.25, parts: [0, 1] },
  { share: 0.5, parts: [0, 1] },
] as const;

export interface AnalysisOptions {
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Explains a version: why it does or does not beat its baseline, what each lever gains, whether more data would help.
 * Fits the recipe anew, with its parameters, on altered data or settings, and judges every fit on the same holdout
 * users. Nothing is ever chosen by these figures: parameters are tuned on the validation window alone. Every fit is
 * remembered, so that a killed analysis goes on where it was.
 */
export async function analyse(
  context: JobContext,
  payload: AnalysisPayload,
  options: AnalysisOptions = {},
): Promise<Findings> {
  const start = performance.now();
  const { manifest, model } = await context.artifacts.load(payload.version);
  const data = await context.loadTrainingData(manifest.data.sha256);
  const bench = new Bench(context, manifest, data, options);
  const baseline = await bench.baseline();
  const ours = await bench.judge();
  const omitted: string[] = [];
  /** Runs a part when its fits fit into what is left of the budget. */
  const within = async <T>(name: string, fits: number, part: () => Promise<T>): Promise<T | null> => {
    const seconds = fits * manifest.cost.fitSeconds;
    const left = payload.budgetSeconds - (performance.now() - start) / 1000;
    if (seconds <= left) return part();
    omitted.push(
      `${name}: expected to take about ${Math.ceil(seconds)} s of training, ${Math.max(0, Math.floor(left))} s were left of ${payload.budgetSeconds}.`,
    );
    return null;
  };

  const popularity = await bench.judgePopularity();
  const control = await within("Shuffled-label control", 1, () => bench.judgeShuffled());
  const memory = await within("Score on training moments", 1, () => bench.judgeOnTraining());
  const curve = await within("Learning curve", 1.5, () => bench.curve(ours));
  const longer = await within("Longer training", 2, () => bench.judgeLonger());
  const settings = leverSettings(recipeNamed(manifest.recipe), manifest.params, manifest.trials);
  const levers =
    settings.length === 0
      ? null
      : await within("Levers", 2 * settings.length + 1, () => bench.levers(settings));

  const evidence: DiagnosisEvidence = {
    lift: bench.gain(ours, baseline.evaluation),
    trainNdcg: memory?.summary.ndcg.mean ?? null,
    holdoutNdcg: ours.summary.ndcg.mean,
    popularityNdcg: popularity.summary.ndcg.mean,
    overPopularity: bench.gain(ours, popularity),
    shuffledControl:
      control === null
        ? null
        : {
            ndcg: control.summary.ndcg.mean,
            overPopularity: bench.gain(control, popularity, [0.005, 0.995]),
          },
    seenItemLists: ours.faults["seen-item"],
    losses: manifest.training.losses,
    twiceTheEpochs: longer === null ? null : bench.gain(longer, ours),
    learningCurve: curve,
  };
  const findings: Findings = {
    version: manifest.version,
    baseline: baseline.name,
    dataSha256: data.provenance.sha256,
    lift: evidence.lift,
    agreement: await bench.agreement(model),
    diagnosis: diagnose(evidence),
    evidence,
    learningCurve: curve,
    levers,
    omitted,
    seconds: (performance.now() - start) / 1000,
    measuredAt: context.isoNow(),
  };
  await context.findings.put(findings);
  options.onProgress?.({ fraction: 1, message: `${manifest.version}: explained` });
  return findings;
}

/** One recipe with its parameters, fitted in many ways and always judged by the same people. */
class Bench {
  readonly #context: JobContext;
  readonly #manifest: Manifest;
  readonly #data: TrainingData;
  readonly #splits: Splits;
  readonly #options: AnalysisOptions;
  #fits = 0;

  constructor(context: JobContext, manifest: Manifest, data: TrainingData, options: AnalysisOptions) {
    this.#context = context;
    this.#manifest = manifest;
    this.#data = data;
    this.#splits = splitByTime(data, context.policy.training);
    this.#options = options;
  }

  async baseline(): Promise<{ name: string; evaluation: StoredEvaluation }> {
    const version = await this.#baselineVersion();
    if (version === null) return { name: "popularity", evaluation: await this.judgePopularity() };
    const { recipe, params, seed } = (await this.#context.artifacts.manifest(version)).manifest;
    return { name: version, evaluation: await this.#run({ recipe, params, seed }) };
  }

  /** The version that is live, or the one before when this one is; null, for plain popularity, where there is none. */
  async #baselineVersion(): Promise<string | null> {
    const live = await this.#context.registry.live();
    const version = live?.version === this.#manifest.version ? live.previous : live?.version;
    return version ?? null;
  }

  /** Of the lists of the two as they are served. No figure of quality: both may have learned from the holdout. */
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

  /** Parts are drawn by user, so that the period and everybody's whole histories stay what they are. */
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

  /** Mean paired difference over the users of both, with a 95 % interval unless told. */
  gain(ours: StoredEvaluation, theirs: StoredEvaluation, tails?: readonly [number, number]): Estimate {
    const differences = pairedDifferences(ours, theirs).map(({ difference }) => difference);
    return bootstrapMean(differences, { seed: this.#manifest.seed, ...(tails && { tails }) });
  }

  #trainingLog(): InteractionLog {
    return this.#splits.holdout.past;
  }

  /** The holdout split with something else to learn from. "Now" stays the time of the cut. */
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
    return holdoutEvaluation(this.#context.evaluations, key, split, { threads, signal });
  }
}

/** (users) in the order of the requests, the same for every model. */
function ndcgs({ perUser }: StoredEvaluation): number[] {
  return perUser.map(({ ndcg }) => ndcg);
}
