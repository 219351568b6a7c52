import type { Scalar, Tensor2D } from "@tensorflow/tfjs";
import type { Batch } from "./sequences.ts";
import type { TensorFlow } from "./tensorflow.ts";

const NEVER = -1e9;

/**
 * Mean cross-entropy of the next item against the batch's shared negatives, weighted by position:
 *   −log( e^{h·p + π_p} / (e^{h·p + π_p} + c·Σ_{n ≠ target} e^{h·n + π_n}) ),   c = (items − 1) / negatives
 * which estimates the softmax over the whole catalogue, and is exactly that when every item is a negative.
 * h (positions × d) states, p (positions × d) embeddings of the targets, n (negatives × d), π (items) the prior.
 * The positive logit lives in column 0 of one logit matrix, so that forward and backward are three matrix
 * products and one softmax. Source: Jean et al. 2015, arXiv 1412.2007, section 3.
 */
export function sampledSoftmaxLoss(
  tf: TensorFlow,
  batch: Batch,
  prior: Float32Array,
  states: Tensor2D,
  targets: Tensor2D,
  negatives: Tensor2D,
): Scalar {
  const positions = batch.targets.length;
  const targetPrior = Float32Array.from(batch.targets, (item) => prior[item]);
  const columnPrior = new Float32Array(batch.negatives.length + 1);
  for (const [index, item] of batch.negatives.entries()) {
    columnPrior[index + 1] = prior[item] + batch.multiplicities[index];
  }
  const hits = accidentalHits(batch);
  const total = batch.weights.reduce((sum, weight) => sum + weight, 0);

  const op = tf.customGrad((...inputs) => {
    const [h, p, n] = inputs as [Tensor2D, Tensor2D, Tensor2D];
    const save = inputs[3] as unknown as (tensors: Tensor2D[]) => void;
    const withGap = tf.pad2d(n, [
      [1, 0],
      [0, 0],
    ]);
    const logits = tf.add(tf.matMul(h, withGap, false, true), tf.tensor1d(columnPrior));
    const positive = tf.add(tf.sum(tf.mul(h, p), 1), tf.tensor1d(targetPrior));
    const indices = new Int32Array(2 * (positions + hits.length / 2));
    for (let position = 0; position < positions; position++) indices[2 * position] = position;
    indices.set(hits, 2 * positions);
    const patched = tf.tensorScatterUpdate(
      logits,
      tf.tensor2d(indices, [indices.length / 2, 2], "int32"),
      tf.concat([positive, tf.fill([hits.length / 2], NEVER)]),
    ) as Tensor2D;
    const shares = tf.softmax(patched);
    const weights = tf.tensor2d(batch.weights, [positions, 1]);
    // A product with (1, 0, …, 0)ᵀ: on WebAssembly a slice of one column costs five times as much.
    const first = tf.tensor2d(
      Float32Array.from(columnPrior, (_, column) => (column === 0 ? 1 : 0)),
      [columnPrior.length, 1],
    );
    const chosen: Tensor2D = tf.matMul(shares, first);
    const value = tf.neg(tf.div(tf.sum(tf.mul(tf.log(tf.maximum(chosen, 1e-30)), weights)), total));

    save([h, p, withGap, shares, chosen]);
    const gradFunc = (dy: unknown, saved: unknown) => {
      const [h, p, withGap, shares, chosen] = saved as Tensor2D[];
      const weights = tf.tensor2d(batch.weights, [positions, 1]);
      const scale = tf.mul(weights, tf.div(dy as Scalar, total));
      const missing = tf.mul(tf.sub(chosen, 1), scale);
      const dStates = tf.add(tf.mul(tf.matMul(shares, withGap), scale), tf.mul(p, missing));
      const dTargets = tf.mul(h, missing);
      const dNegatives = tf.matMul(shares, tf.mul(h, scale), true);
      return [dStates, dTargets, tf.slice(dNegatives, [1, 0])];
    };
    return { value, gradFunc };
  });
  return op(states, targets, negatives) as Scalar;
}

/** Flat (position, column) pairs at which a negative is the position's own target. */
function accidentalHits({ targets, negatives }: Batch): number[] {
  const columnsOf = new Map<number, number[]>();
  for (const [index, item] of negatives.entries()) {
    const columns = columnsOf.get(item);
    if (columns === undefined) columnsOf.set(item, [index + 1]);
    else columns.push(index + 1);
  }
  const pairs: number[] = [];
  for (const [position, target] of targets.entries()) {
    for (const column of columnsOf.get(target) ?? []) pairs.push(position, column);
  }
  return pairs;
}
