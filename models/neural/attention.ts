import type { Tensor2D, Tensor3D } from "@tensorflow/tfjs";
import type { TensorFlow } from "./backend.ts";

/**
 * Causal self-attention of one head with dropout on its shares:
 *   out = (mask ∘ A)·V,  A = softmax(Q·Kᵀ/√d, later positions out),  projected = [Q | K | V]
 * projected (windows·length × 3d) → (windows·length × d), with its gradient in one operation, so that the three
 * parts are cut and joined by row copies once each instead of by the tape. mask (windows × length × length) or none.
 * Source: Vaswani et al. 2017, arXiv 1706.03762, section 3.2.1.
 */
export function causalAttention(
  tf: TensorFlow,
  projected: Tensor2D,
  windows: number,
  length: number,
  mask: Float32Array | undefined,
): Tensor2D {
  const [rows, width] = projected.shape;
  const d = width / 3;
  const scale = 1 / Math.sqrt(d);
  const square: [number, number, number] = [windows, length, length];
  const parts = (input: Tensor2D): Tensor3D[] =>
    cut(input.dataSync<"float32">(), d).map((part) => tf.tensor3d(part, [windows, length, d]));
  const dropped = (shares: Tensor3D): Tensor3D =>
    mask === undefined ? shares : tf.mul(shares, tf.tensor3d(mask, square));

  const op = tf.customGrad((...inputs) => {
    const save = inputs[1] as unknown as (tensors: Tensor3D[]) => void;
    const [query, key, value] = parts(inputs[0] as Tensor2D);
    const affinity = tf.mul(tf.matMul(query, key, false, true), scale);
    const shares: Tensor3D = tf.softmax(tf.add(affinity, futureMask(tf, length)));
    const out = tf.reshape(tf.matMul(dropped(shares), value), [rows, d]);
    save([query, key, value, shares]);

    const gradFunc = (dy: unknown, saved: unknown) => {
      const [query, key, value, shares] = saved as Tensor3D[];
      const dOut = tf.reshape(dy as Tensor2D, [windows, length, d]);
      const dValue = tf.matMul(dropped(shares), dOut, true);
      const dShares = tf.mul(dropped(tf.matMul(dOut, value, false, true)), shares);
      const dAffinity = tf.mul(tf.sub(dShares, tf.mul(shares, tf.sum(dShares, 2, true))), scale);
      const dQuery = tf.matMul(dAffinity, key);
      const dKey = tf.matMul(dAffinity, query, true);
      const joined = join(
        [dQuery, dKey, dValue].map((part) => part.dataSync<"float32">()),
        d,
      );
      return tf.tensor2d(joined, [rows, width]);
    };
    return { value: out, gradFunc };
  });
  return op(projected) as Tensor2D;
}

/** (rows × 3d) into three of (rows × d). */
function cut(joined: Float32Array, d: number): Float32Array[] {
  const rows = joined.length / (3 * d);
  return [0, 1, 2].map((part) => {
    const out = new Float32Array(rows * d);
    for (let row = 0; row < rows; row++) {
      const from = (3 * row + part) * d;
      for (let column = 0; column < d; column++) out[row * d + column] = joined[from + column];
    }
    return out;
  });
}

/** Three of (rows × d) into (rows × 3d). */
function join(parts: readonly Float32Array[], d: number): Float32Array {
  const rows = parts[0].length / d;
  const out = new Float32Array(3 * rows * d);
  for (const [index, part] of parts.entries()) {
    for (let row = 0; row < rows; row++) {
      const to = (3 * row + index) * d;
      for (let column = 0; column < d; column++) out[to + column] = part[row * d + column];
    }
  }
  return out;
}

/** (length × length) −1e9 where a position would see a later one. */
function futureMask(tf: TensorFlow, length: number): Tensor2D {
  const mask = new Float32Array(length * length);
  for (let row = 0; row < length; row++) mask.fill(-1e9, row * length + row + 1, (row + 1) * length);
  return tf.tensor2d(mask, [length, length]);
}
