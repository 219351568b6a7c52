import type { Tensor2D } from "@tensorflow/tfjs";
import type { TensorFlow } from "./backend.ts";

export const LAYER_NORM_EPSILON = 1e-6;

/**
 * y = (x − mean) / √(variance + ε) · gain + bias over each row of x (rows × d), with its gradient, in one pass
 * each over plain arrays: composed of tensor operations the same costs some thirty passes.
 * Source: Ba, Kiros & Hinton 2016, arXiv 1607.06450.
 */
export function layerNorm(tf: TensorFlow, x: Tensor2D, gain: Tensor2D, bias: Tensor2D): Tensor2D {
  const [rows, d] = x.shape;
  const op = tf.customGrad((...inputs) => {
    const [values, gains, biases] = (inputs as Tensor2D[]).slice(0, 3).map((t) => t.dataSync<"float32">());
    const units = new Float32Array(values.length);
    const inverses = new Float32Array(rows);
    const y = new Float32Array(values.length);
    normalizeRows(values, gains, biases, units, inverses, y);
    const gradFunc = (dy: unknown) => {
      const dx = new Float32Array(values.length);
      const dGain = new Float32Array(d);
      const dBias = new Float32Array(d);
      backThroughNorm((dy as Tensor2D).dataSync<"float32">(), gains, units, inverses, dx, dGain, dBias);
      return [tf.tensor2d(dx, [rows, d]), tf.tensor1d(dGain), tf.tensor1d(dBias)];
    };
    return { value: tf.tensor2d(y, [rows, d]), gradFunc };
  });
  return op(x, gain, bias) as Tensor2D;
}

/** Fills `units` with the normalized rows, `inverses` with 1/√(variance + ε), and y = units·gain + bias. */
function normalizeRows(
  x: Float32Array,
  gain: Float32Array,
  bias: Float32Array,
  units: Float32Array,
  inverses: Float32Array,
  y: Float32Array,
): void {
  const d = gain.length;
  for (let row = 0, at = 0; row < inverses.length; row++, at += d) {
    let sum = 0;
    let squares = 0;
    for (let column = 0; column < d; column++) sum += x[at + column];
    const mean = sum / d;
    for (let column = 0; column < d; column++) {
      const centred = x[at + column] - mean;
      squares += centred * centred;
    }
    const inverse = 1 / Math.sqrt(squares / d + LAYER_NORM_EPSILON);
    inverses[row] = inverse;
    for (let column = 0; column < d; column++) {
      const unit = (x[at + column] - mean) * inverse;
      units[at + column] = unit;
      y[at + column] = unit * gain[column] + bias[column];
    }
  }
}

/** dx = inverse · (g − mean(g) − unit · mean(g·unit)) with g = dy·gain; dGain = Σ dy·unit, dBias = Σ dy over rows. */
function backThroughNorm(
  dy: Float32Array,
  gain: Float32Array,
  units: Float32Array,
  inverses: Float32Array,
  dx: Float32Array,
  dGain: Float32Array,
  dBias: Float32Array,
): void {
  const d = gain.length;
  for (let row = 0, at = 0; row < inverses.length; row++, at += d) {
    let sum = 0;
    let along = 0;
    for (let column = 0; column < d; column++) {
      const slope = dy[at + column];
      const unit = units[at + column];
      dBias[column] += slope;
      dGain[column] += slope * unit;
      const scaled = slope * gain[column];
      dx[at + column] = scaled;
      sum += scaled;
      along += scaled * unit;
    }
    const inverse = inverses[row];
    const mean = sum / d;
    const tilt = along / d;
    for (let column = 0; column < d; column++) {
      dx[at + column] = inverse * (dx[at + column] - mean - units[at + column] * tilt);
    }
  }
}
