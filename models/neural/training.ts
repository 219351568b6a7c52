import type { InteractionMatrix } from "../data/interaction-matrix.ts";
import { seededRandom } from "../data/random.ts";
import { yieldToEvents } from "../long-work.ts";
import type { FitOptions } from "../recipe.ts";
import { adamStep } from "./adam.ts";
import { decodeCheckpoint, encodeCheckpoint, fingerprint, type TrainingState } from "./checkpoint.ts";
import { ForwardPass } from "./forward.ts";
import { negativeSampler } from "./negatives.ts";
import { dropoutMasks, trainingStep } from "./network.ts";
import { priorsOf } from "./prior.ts";
import type { SasrecParams } from "./sasrec-params.ts";
import { learningRateShare } from "./schedule.ts";
import { epochBatches, type Sequences, sequencesOf } from "./sequences.ts";
import type { TensorFlow } from "./tensorflow.ts";
import { carveValidation, validationNdcg } from "./validation.ts";
import { warmWeights } from "./warm-start.ts";
import { copyOf, initialWeights, type NetworkShape, type Weights, zerosLike } from "./weights.ts";

const VALIDATION_SHARE = 0.1;
const MAX_VALIDATION_REQUESTS = 300;
/** Share of the learning-rate schedule after which the refit joins it. */
const REFIT_FROM = 0.6;
/** The same of a warm start, and the share of a cold one's epochs that it takes (figures: `bench/warm-start`). */
const WARM_FROM = 0.6;
const WARM_SHARE = 0.3;

/**
 * Without patience it learns from everything for a fixed number of epochs. With it, in two stages: `search` trains on
 * what precedes a validation window at the end of the training time, keeps the epoch that foresees the window best,
 * and stops after `patience` epochs without a better one; `refit` goes on from that epoch over everything, window
 * included, for `refitEpochs`: the latest events tell the most. Data too small for a window is learned without one; so is
 * what follows a warm start, because the earlier version may have learned from the window already.
 */
export async function train(
  tf: TensorFlow,
  interactions: InteractionMatrix,
  asked: SasrecParams,
  options: FitOptions,
): Promise<Trained> {
  const params = withinBudget(asked, interactions.columns.length);
  const { maxLength, embeddingSize, blocks } = params;
  const shape: NetworkShape = { items: interactions.items.size, embeddingSize, blocks, maxLength };
  const window = carveValidation(
    interactions,
    VALIDATION_SHARE,
    MAX_VALIDATION_REQUESTS,
    seededRandom(options.seed),
  );
  const fresh = initialWeights(shape, seededRandom(options.seed));
  const warm = warmWeights(fresh, interactions.items, options.warmStart);
  const searches = warm === null && params.patience > 0 && window.requests.length > 0;
  const run = fingerprint(
    JSON.stringify([params, options.seed, warm === null ? null : options.warmStart?.version]),
    interactions.rowStarts,
    interactions.columns,
    interactions.timestamps,
  );
  const state =
    decodeCheckpoint(run, (await options.checkpoint?.load()) ?? null) ??
    startingState(warm ?? fresh, searches ? "search" : "refit");
  const keep = async (): Promise<void> => options.checkpoint?.save(encodeCheckpoint(run, state));

  const searching: Course = { epochs: searches ? params.epochs : 0, from: 0 };
  const course = courseOver(params, searches, warm !== null);
  const report = (figures: string): void => {
    const done = state.stage === "search" ? state.epoch : searching.epochs + state.epoch;
    options.onProgress?.({
      fraction: Math.min(1, done / (searching.epochs + course.epochs)),
      message: `${state.stage} epoch ${state.epoch}: ${figures}`,
    });
  };

  const past = sequencesOf(interactions, window.rowEnds);
  const pastPriors = priorsOf(past, interactions.timestamps, params.halfLifeDays);
  while (state.stage === "search") {
    await runEpoch(tf, past, pastPriors.training, params, state, searching, options);
    const scorer = new ForwardPass(state.weights, shape, pastPriors.serving);
    const score = validationNdcg(interactions, window, scorer);
    if (state.bestEpoch === 0 || score > state.validation[state.bestEpoch - 1]) {
      state.bestEpoch = state.epoch;
      state.best = copyOf(state.weights);
    }
    state.validation.push(score);
    const loss = state.losses[state.losses.length - 1];
    report(`loss ${loss.toFixed(3)}, validation nDCG ${score.toFixed(4)}`);
    if (state.epoch === params.epochs || state.epoch - state.bestEpoch >= params.patience) beginRefit(state);
    await keep();
  }

  const everything = sequencesOf(interactions);
  const priors = priorsOf(everything, interactions.timestamps, params.halfLifeDays);
  while (state.epoch < course.epochs) {
    await runEpoch(tf, everything, priors.training, params, state, course, options);
    report(`loss ${state.losses[state.losses.length - 1].toFixed(3)}`);
    await keep();
  }
  return { state, prior: priors.serving, warm: warm !== null };
}

/** Time grows with the events of all epochs together, and large data needs fewer looks at each. */
function withinBudget(params: SasrecParams, events: number): SasrecParams {
  return { ...params, epochs: Math.max(1, Math.min(params.epochs, Math.floor(params.maxEvents / events))) };
}

export interface Trained {
  readonly state: TrainingState;
  /** (items) to be added to the scores that are served. */
  readonly prior: Float32Array;
  /** Whether it started from the weights of an earlier version. */
  readonly warm: boolean;
}

/** How long a stage may last, and after which share of the learning-rate schedule it begins. */
interface Course {
  readonly epochs: number;
  readonly from: number;
}

function courseOver({ epochs, refitEpochs }: SasrecParams, searched: boolean, warm: boolean): Course {
  if (searched) return { epochs: refitEpochs, from: REFIT_FROM };
  return warm ? { epochs: Math.ceil(WARM_SHARE * epochs), from: WARM_FROM } : { epochs, from: 0 };
}

function startingState(weights: Weights, stage: TrainingState["stage"]): TrainingState {
  return {
    stage,
    epoch: 0,
    steps: 0,
    losses: [],
    validation: [],
    bestEpoch: 0,
    weights,
    first: zerosLike(weights),
    second: zerosLike(weights),
    best: weights,
  };
}

/**
 * The optimizer's moments stay: those of a later epoch still tell the scale of each gradient, while fresh ones would
 * make the first steps move every weight by the whole learning rate, whatever its gradient.
 */
function beginRefit(state: TrainingState): void {
  state.stage = "refit";
  state.epoch = 0;
  state.weights = copyOf(state.best);
}

async function runEpoch(
  tf: TensorFlow,
  sequences: Sequences,
  prior: Float32Array,
  params: SasrecParams,
  state: TrainingState,
  course: Course,
  options: FitOptions,
): Promise<void> {
  const stage = state.stage === "search" ? 1 : 2;
  const random = seededRandom(Math.imul(options.seed + 1, 0x9e3779b1) ^ (stage << 20) ^ state.epoch);
  const masks = params.dropout > 0 ? dropoutMasks(params.dropout, random) : undefined;
  let total = 0;
  let positions = 0;
  const batches = epochBatches(sequences, params, negativeSampler(prior, params.negatives), random);
  for (const [index, batch] of batches.entries()) {
    const { loss, gradients } = trainingStep(tf, state.weights, params.blocks, batch, prior, masks);
    if (!Number.isFinite(loss)) {
      throw new RangeError(`sasrec: expected a finite loss, got ${loss}; lower learningRate`);
    }
    const progress =
      course.from + (1 - course.from) * ((state.epoch + index / batches.length) / course.epochs);
    const learningRate = params.learningRate * learningRateShare(progress);
    adamStep(state.weights, gradients, state, { learningRate, reg: params.reg });
    const counted = batch.weights.reduce((sum, weight) => sum + weight, 0);
    total += loss * counted;
    positions += counted;
    await yieldToEvents();
    options.signal?.throwIfAborted();
  }
  state.losses.push(positions === 0 ? 0 : total / positions);
  state.epoch++;
}
