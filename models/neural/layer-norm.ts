import type { Tensor2D } from "@tensorflow/tfjs";
import { OperationMemory, operationMemory, rowWidth } from "./operation-memory.ts";
import type { TensorFlow } from "./tensorflow.ts";

export const LAYER_NORM_EPSILON = 1e-6;

/**
 * y = (x − mean) / √(variance + ε) · gain + bias over each row of x (rows × d), with its gradient, a kernel each way:
 * composed of tensor operations the same costs some thirty passes.
 * Source: Ba, Kiros & Hinton 2016, arXiv 1607.06450.
 */
export function layerNorm(tf: TensorFlow, x: Tensor2D, gain: Tensor2D, bias: Tensor2D): Tensor2D {
  const [rows, d] = x.shape;
  const op = tf.customGrad((...inputs) => {
    const [values, gains, biases] = (inputs as Tensor2D[]).slice(0, 3).map((t) => t.dataSync<"float32">());
    const { y, units, inverses } = normalized(values, gains, biases);
    const gradFunc = (dy: unknown) => {
      const slopes = (dy as Tensor2D).dataSync<"float32">();
      const { dx, dGain, dBias } = backThroughNorm(slopes, gains, units, inverses);
      return [tf.tensor2d(dx, [rows, d]), tf.tensor1d(dGain), tf.tensor1d(dBias)];
    };
    return { value: tf.tensor2d(y, [rows, d]), gradFunc };
  });
  return op(x, gain, bias) as Tensor2D;
}

/** y (rows × d), and what the way back needs: units (rows × d), the rows before gain and bias, and inverses (rows). */
function normalized(x: Float32Array, gain: Float32Array, bias: Float32Array) {
  const d = gain.length;
  const rows = x.length / d;
  const memory = operationMemory();
  memory.begin();
  const [units, y] = [memory.space(rows * rowWidth(d)), memory.space(rows * rowWidth(d))];
  const inverses = memory.space(rows);
  memory.kernels.normRows(
    memory.rows(x, d).byteOffset,
    memory.rows(gain, d).byteOffset,
    memory.rows(bias, d).byteOffset,
    units.byteOffset,
    inverses.byteOffset,
    y.byteOffset,
    rows,
    4 * rowWidth(d),
    d,
    LAYER_NORM_EPSILON,
  );
  return {
    y: OperationMemory.packed(y, d),
    units: OperationMemory.packed(units, d),
    inverses: inverses.slice(),
  };
}

function backThroughNorm(dy: Float32Array, gain: Float32Array, units: Float32Array, inverses: Float32Array) {
  const d = gain.length;
  const rows = inverses.length;
  const memory = operationMemory();
  memory.begin();
  const dx = memory.space(rows * rowWidth(d));
  const [dGain, dBias] = [memory.space(rowWidth(d)).fill(0), memory.space(rowWidth(d)).fill(0)];
  memory.kernels.normRowsBack(
    memory.rows(dy, d).byteOffset,
    memory.rows(gain, d).byteOffset,
    memory.rows(units, d).byteOffset,
    memory.rows(inverses, rows).byteOffset,
    dx.byteOffset,
    dGain.byteOffset,
    dBias.byteOffset,
    rows,
    4 * rowWidth(d),
    d,
  );
  return {
    dx: OperationMemory.packed(dx, d),
    dGain: OperationMemory.packed(dGain, d),
    dBias: OperationMemory.packed(dBias, d),
  };
}
