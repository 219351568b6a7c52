import type { Scalar, Tensor, Tensor2D } from "@tensorflow/tfjs";
import type { Random } from "../data/random.ts";
import { causalAttention } from "./attention.ts";
import { layerNorm } from "./layer-norm.ts";
import { lookUp } from "./look-up.ts";
import { remainingSoftmaxLoss } from "./remaining-softmax.ts";
import { sampledSoftmaxLoss } from "./sampled-softmax.ts";
import type { Batch } from "./sequences.ts";
import type { TensorFlow } from "./tensorflow.ts";
import type { Weights } from "./weights.ts";

export interface StepResult {
  readonly loss: number;
  readonly gradients: Readonly<Record<string, Float32Array>>;
}

/** Draws a 0-or-1/(1−rate) mask of a size. */
export type MaskSource = (size: number) => Float32Array;

const MASK_POOL = 1 << 18;

/**
 * Dropout masks as windows, at random offsets, of one seeded Bernoulli sequence: the same on every backend, and
 * without the cost of drawing half a million numbers a step.
 */
export function dropoutMasks(rate: number, random: Random): MaskSource {
  const pool = Float32Array.from({ length: MASK_POOL }, () => (random.next() < rate ? 0 : 1 / (1 - rate)));
  return (size) => {
    const start = random.integer(MASK_POOL);
    if (start + size <= MASK_POOL) return pool.subarray(start, start + size);
    const wrapped = new Float32Array(size);
    for (let filled = 0, from = start; filled < size; from = 0) {
      const piece = pool.subarray(from, Math.min(MASK_POOL, from + size - filled));
      wrapped.set(piece, filled);
      filled += piece.length;
    }
    return wrapped;
  };
}

/** Loss and gradients of one batch. Every tensor lives and dies inside: weights come and go as plain arrays. */
export function trainingStep(
  tf: TensorFlow,
  weights: Weights,
  blocks: number,
  batch: Batch,
  prior: Float32Array,
  masks: MaskSource | undefined,
): StepResult {
  const names = Object.keys(weights);
  let result: StepResult | undefined;
  // Nothing is returned through tidy: it would look for tensors in every element of every array.
  tf.tidy(() => {
    const tensors = names.map((name) => tf.tensor(weights[name].data, [...weights[name].shape]));
    const loss = (...inputs: Tensor[]): Scalar => {
      const byName = Object.fromEntries(names.map((name, index) => [name, inputs[index]]));
      const table = byName.itemEmbedding as Tensor2D;
      const states = hiddenStates(tf, byName, blocks, batch, masks);
      const lossOf = batch.shuffled ? remainingSoftmaxLoss : sampledSoftmaxLoss;
      return lossOf(
        tf,
        batch,
        prior,
        states,
        lookUp(tf, table, batch.targets),
        lookUp(tf, table, batch.negatives),
      );
    };
    const { value, grads } = tf.valueAndGrads(loss)(tensors);
    result = {
      loss: value.dataSync()[0],
      gradients: Object.fromEntries(names.map((name, index) => [name, grads[index].dataSync<"float32">()])),
    };
  });
  if (result === undefined) throw new Error("sasrec: the training step gave no result");
  return result;
}

type Input = Pick<Batch, "windows" | "length" | "inputs">;

/**
 * The pre-norm transformer: x ← x + attention(norm(x)), x ← x + feedForward(norm(x)) per block, then a last norm.
 * One causal head. Returns the state after each position, (windows·length × d).
 * Source: Kang & McAuley 2018, arXiv 1808.09781; pre-norm after Xiong et al. 2020, arXiv 2002.04745.
 */
export function hiddenStates(
  tf: TensorFlow,
  weights: Readonly<Record<string, Tensor>>,
  blocks: number,
  { windows, length, inputs }: Input,
  masks: MaskSource | undefined,
): Tensor2D {
  const table = weights.itemEmbedding as Tensor2D;
  const d = table.shape[1];
  const positions = windows * length;
  const dropped = <T extends Tensor>(x: T): T =>
    masks === undefined ? x : (tf.mul(x, tf.tensor(masks(x.size), x.shape)) as T);
  const norm = (x: Tensor2D, name: string): Tensor2D =>
    layerNorm(tf, x, weights[`${name}Gain`] as Tensor2D, weights[`${name}Bias`] as Tensor2D);
  const attend = (x: Tensor2D, block: string): Tensor2D => {
    const projected: Tensor2D = tf.matMul(x, weights[`${block}.queryKeyValue`] as Tensor2D);
    return causalAttention(tf, projected, windows, length, masks?.(windows * length * length));
  };
  const feedForward = (x: Tensor2D, block: string): Tensor2D => {
    const hidden = tf.add(
      tf.matMul(x, weights[`${block}.hidden`] as Tensor2D),
      weights[`${block}.hiddenBias`],
    );
    return tf.add(
      tf.matMul(dropped(tf.relu(hidden)) as Tensor2D, weights[`${block}.output`] as Tensor2D),
      weights[`${block}.outputBias`],
    );
  };

  const embedded = tf.reshape(tf.mul(lookUp(tf, table, inputs), Math.sqrt(d)), [windows, length, d]);
  const placed = tf.add(embedded, tf.slice(weights.positionEmbedding as Tensor2D, [0, 0], [length, d]));
  let x = dropped(tf.reshape(placed, [positions, d]) as Tensor2D);
  for (let index = 0; index < blocks; index++) {
    const block = `block${index}`;
    x = tf.add(x, dropped(attend(norm(x, `${block}.attention`), block)));
    x = tf.add(x, dropped(feedForward(norm(x, `${block}.feedForward`), block)));
  }
  return norm(x, "final");
}
