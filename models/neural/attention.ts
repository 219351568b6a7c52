import type { Tensor2D } from "@tensorflow/tfjs";
import { OperationMemory, operationMemory, rowWidth } from "./operation-memory.ts";
import type { TensorFlow } from "./tensorflow.ts";

/**
 * Causal self-attention of one head with dropout on its shares:
 *   out = (mask ∘ A)·V,  A = softmax(Q·Kᵀ/√d, later positions out),  projected = [Q | K | V]
 * projected (windows·length × 3d) → (windows·length × d), with its gradient. Both ways are one kernel each: of tensor
 * operations it takes a product a window, half of which a causal mask throws away. mask (windows × length × length) or
 * none. Source: Vaswani et al. 2017, arXiv 1706.03762, section 3.2.1.
 */
export function causalAttention(
  tf: TensorFlow,
  projected: Tensor2D,
  windows: number,
  length: number,
  mask: Float32Array | undefined,
): Tensor2D {
  const [rows, joined] = projected.shape;
  const d = joined / 3;
  const row = 4 * rowWidth(d);
  const scale = 1 / Math.sqrt(d);

  const op = tf.customGrad((input) => {
    const values = (input as Tensor2D).dataSync<"float32">();
    const { out, shares } = attend(values);
    const gradFunc = (dy: unknown) =>
      tf.tensor2d(attendBack(values, shares, (dy as Tensor2D).dataSync<"float32">()), [rows, joined]);
    return { value: tf.tensor2d(out, [rows, d]), gradFunc };
  });
  return op(projected) as Tensor2D;

  function attend(values: Float32Array): { out: Float32Array; shares: Float32Array } {
    const memory = operationMemory();
    memory.begin();
    const shares = memory.space(windows * length * length);
    const out = memory.space(rows * rowWidth(d));
    memory.kernels.attendWindows(
      memory.rows(values, d).byteOffset,
      shares.byteOffset,
      mask === undefined ? 0 : memory.rows(mask, mask.length).byteOffset,
      out.byteOffset,
      memory.space(length).byteOffset,
      windows,
      length,
      row,
      scale,
    );
    return { out: OperationMemory.packed(out, d), shares: shares.slice() };
  }

  function attendBack(values: Float32Array, shares: Float32Array, dOut: Float32Array): Float32Array {
    const memory = operationMemory();
    memory.begin();
    const dProjected = memory.space(rows * 3 * rowWidth(d));
    memory.kernels.attendWindowsBack(
      memory.rows(values, d).byteOffset,
      memory.rows(shares, shares.length).byteOffset,
      mask === undefined ? 0 : memory.rows(mask, mask.length).byteOffset,
      memory.rows(dOut, d).byteOffset,
      dProjected.byteOffset,
      memory.space(length).byteOffset,
      windows,
      length,
      row,
      scale,
    );
    return OperationMemory.packed(dProjected, d);
  }
}
