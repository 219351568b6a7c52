import type { InteractionMatrix } from "../data/interaction-matrix.ts";
import { seededRandom } from "../data/random.ts";
import type { FitOptions } from "../recipe.ts";
import { adamStep } from "./adam.ts";
import type { TensorFlow } from "./backend.ts";
import { decodeCheckpoint, encodeCheckpoint, fingerprint, type TrainingState } from "./checkpoint.ts";
import { ForwardPass } from "./forward.ts";
import { negativeSampler } from "./negatives.ts";
import { dropoutMasks, trainingStep } from "./network.ts";
import { priorsOf } from "./prior.ts";
import type { SasrecParams } from "./sasrec-params.ts";
import { learningRateShare } from "./schedule.ts";
import { epochBatches, type Sequences, sequencesOf } from "./sequences.ts";
import { carveValidation, validationNdcg } from "./validation.ts";
import { copyOf, initialWeights, type NetworkShape, zerosLike } from "./weights.ts";

const VALIDATION_SHARE = 0.1;
const MAX_VALIDATION_REQUESTS = 300;
/** Share of the learning-rate schedule after which the refit joins it. */
const REFIT_FROM = 0.6;

/**
 * Without patience it learns from everything for a fixed number of epochs. With it, in two stages: `search` trains on
 * what precedes a validation window at the end of the training time, keeps the epoch that foresees the window best,
 * and stops after `patience` epochs without a better one; `refit` goes on from that epoch over everything, window
 * included, for `refitEpochs`: the latest events tell the most. Data too small for a window is learned without one.
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
  const searches = params.patience > 0 && window.requests.length > 0;
  const run = fingerprint(
    JSON.stringify([params, options.seed]),
    interactions.rowStarts,
    interactions.columns,
    interactions.timestamps,
  );
  const state =
    decodeCheckpoint(run, (await options.checkpoint?.load()) ?? null) ??
    freshState(shape, options.seed, searches ? "search" : "refit");
  const keep = async (): Promise<void> => options.checkpoint?.save(encodeCheckpoint(run, state));

  const past = sequencesOf(interactions, window.rowEnds);
  const pastPriors = priorsOf(past, interactions.timestamps, params.halfLifeDays);
  while (state.stage === "search") {
    await runEpoch(tf, past, pastPriors.training, params, state, options);
    const scorer = new ForwardPass(state.weights, shape, pastPriors.serving);
    const score = validationNdcg(interactions, window, scorer);
    if (state.bestEpoch === 0 || score > state.validation[state.bestEpoch - 1]) {
      state.bestEpoch = state.epoch;
      state.best = copyOf(state.weights);
    }
    state.validation.push(score);
    const loss = state.losses[state.losses.length - 1];
    report(options, params, state, `loss ${loss.toFixed(3)}, validation nDCG ${score.toFixed(4)}`);
    if (state.epoch === params.epochs || state.epoch - state.bestEpoch >= params.patience) beginRefit(state);
    await keep();
  }

  const everything = sequencesOf(interactions);
  const priors = priorsOf(everything, interactions.timestamps, params.halfLifeDays);
  const epochs = searches ? params.refitEpochs : params.epochs;
  while (state.epoch < epochs) {
    await runEpoch(tf, everything, priors.training, params, state, options);
    report(options, params, state, `loss ${state.losses[state.losses.length - 1].toFixed(3)}`);
    await keep();
  }
  return { state, prior: priors.serving };
}

/** Time grows with the events of all epochs together, and large data needs fewer looks at each. */
function withinBudget(params: SasrecParams, events: number): SasrecParams {
  return { ...params, epochs: Math.max(1, Math.min(params.epochs, Math.floor(params.maxEvents / events))) };
}

export interface Trained {
  readonly state: TrainingState;
  /** (items) to be added to the scores that are served. */
  readonly prior: Float32Array;
}

function freshState(shape: NetworkShape, seed: number, stage: TrainingState["stage"]): TrainingState {
  const weights = initialWeights(shape, seededRandom(seed));
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
    const progress = scheduled(state, params, state.epoch + index / batches.length);
    const learningRate = params.learningRate * learningRateShare(progress);
    adamStep(state.weights, gradients, state, { learningRate, reg: params.reg });
    const counted = batch.weights.reduce((sum, weight) => sum + weight, 0);
    total += loss * counted;
    positions += counted;
    await breathe();
    options.signal?.throwIfAborted();
  }
  state.losses.push(positions === 0 ? 0 : total / positions);
  state.epoch++;
}

/** Where an epoch stands in the learning-rate schedule: after a search, learning from everything repeats its end. */
function scheduled(state: TrainingState, { epochs, refitEpochs }: SasrecParams, epoch: number): number {
  if (state.bestEpoch === 0 || state.stage === "search") return epoch / epochs;
  return REFIT_FROM + (1 - REFIT_FROM) * (epoch / refitEpochs);
}

/** Lets timers, locks and messages of the process have their turn between steps. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function report(options: FitOptions, params: SasrecParams, state: TrainingState, figures: string): void {
  const { epochs, refitEpochs, patience } = params;
  const all = patience > 0 ? epochs + refitEpochs : epochs;
  const done = state.stage === "search" || patience === 0 ? state.epoch : epochs + state.epoch;
  options.onProgress?.({
    fraction: Math.min(1, done / all),
    message: `${state.stage} epoch ${state.epoch}: ${figures}`,
  });
}
