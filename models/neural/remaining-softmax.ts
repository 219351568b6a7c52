import type { Scalar, Tensor, Tensor2D, Tensor3D } from "@tensorflow/tfjs";
import type { Batch } from "./sequences.ts";
import type { TensorFlow } from "./tensorflow.ts";

/**
 * What a window still holds at each position, where its order means nothing: any of the items from there on may come
 * next. The mean cross-entropy against all of them at once, instead of the one that chance put first:
 *   log Σ_n m_n·e^{h·n + π_n} − h·p̄ − π̄,   p̄ and π̄ the means over the window's targets from this position on
 * with n the batch's shared negatives, each standing for m_n items. The same expectation as with single targets, and a
 * small part of their variance.
 * h (positions × d) states, p (positions × d) embeddings of the targets, n (negatives × d), π (items) the prior.
 */
export function remainingSoftmaxLoss(
  tf: TensorFlow,
  batch: Batch,
  prior: Float32Array,
  states: Tensor2D,
  targets: Tensor2D,
  negatives: Tensor2D,
): Scalar {
  const { windows, length } = batch;
  const positions = windows * length;
  const d = targets.shape[1];
  const averaging = tf.tensor3d(remainingShares(batch), [windows, length, length]);
  const targetPriors = tf.tensor3d(
    Float32Array.from(batch.targets, (item) => prior[item]),
    [windows, length, 1],
  );
  const meanOf = (values: Tensor3D): Tensor => tf.matMul(averaging, values);
  const meanTargets = tf.reshape(meanOf(tf.reshape(targets, [windows, length, d])), [positions, d]);
  const meanPriors = tf.reshape(meanOf(targetPriors), [positions, 1]);
  const columnPrior = Float32Array.from(
    batch.negatives,
    (item, index) => prior[item] + batch.multiplicities[index],
  );
  const total = batch.weights.reduce((sum, weight) => sum + weight, 0);

  const op = tf.customGrad((...inputs) => {
    const [h, p, n] = inputs as [Tensor2D, Tensor2D, Tensor2D];
    const save = inputs[3] as unknown as (tensors: Tensor2D[]) => void;
    const weights = tf.tensor2d(batch.weights, [positions, 1]);
    const logits = tf.add(tf.matMul(h, n, false, true), tf.tensor1d(columnPrior)) as Tensor2D;
    const expected = tf.add(tf.sum(tf.mul(h, p), 1, true), meanPriors);
    const value = tf.div(tf.sum(tf.mul(tf.sub(tf.logSumExp(logits, 1, true), expected), weights)), total);
    save([h, p, n, tf.softmax(logits)]);
    const gradFunc = (dy: unknown, saved: unknown) => {
      const [h, p, n, shares] = saved as Tensor2D[];
      const scale = tf.mul(tf.tensor2d(batch.weights, [positions, 1]), tf.div(dy as Scalar, total));
      const scaled = tf.mul(h, scale) as Tensor2D;
      const dStates = tf.mul(tf.sub(tf.matMul(shares, n), p), scale);
      return [dStates, tf.neg(scaled), tf.matMul(shares, scaled, true)];
    };
    return { value, gradFunc };
  });
  return op(states, meanTargets, negatives) as Scalar;
}

/** (windows × length × length) row t of a window: 1/(n − t) for each of its n targets from t on, else 0. */
function remainingShares({ windows, length, weights }: Batch): Float32Array {
  const shares = new Float32Array(windows * length * length);
  for (let window = 0; window < windows; window++) {
    const first = window * length;
    let targets = 0;
    while (targets < length && weights[first + targets] > 0) targets++;
    for (let position = 0; position < targets; position++) {
      const row = (first + position) * length;
      shares.fill(1 / (targets - position), row + position, row + targets);
    }
  }
  return shares;
}
