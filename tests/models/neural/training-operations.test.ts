import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs";
import { seededRandom } from "../../../models/data/random.ts";
import { causalAttention } from "../../../models/neural/attention.ts";
import { loadBackend } from "../../../models/neural/backend.ts";
import { LAYER_NORM_EPSILON, layerNorm } from "../../../models/neural/layer-norm.ts";
import { dropoutMasks } from "../../../models/neural/network.ts";
import type { TensorFlow } from "../../../models/neural/tensorflow.ts";

const { tf } = await loadBackend("cpu");

type Operation = (tf: TensorFlow, ...inputs: Tensor2D[]) => Tensor2D;

/** Value and gradients of an operation under random slopes, and those of the same composed of TensorFlow's own. */
function agree(shapes: readonly (readonly number[])[], ours: Operation, composed: Operation): void {
  const random = seededRandom(1);
  const inputs = shapes.map((shape) =>
    tf.tensor(
      Float32Array.from({ length: shape.reduce((size, side) => size * side, 1) }, () => random.normal()),
      [...shape],
    ),
  );
  const [got, expected] = [ours, composed].map((operation) =>
    tf.tidy(() => {
      const value = operation(tf, ...(inputs as Tensor2D[]));
      const slopes = tf.tensor(
        Float32Array.from({ length: value.size }, (_, n) => Math.sin(1.7 * n)),
        value.shape,
      );
      const gradients = tf.grads((...given: Tensor[]) =>
        tf.sum(tf.mul(operation(tf, ...(given as Tensor2D[])), slopes)),
      )(inputs);
      return [value, ...gradients].map((tensor) => tensor.dataSync<"float32">());
    }),
  );
  for (const [place, array] of expected.entries()) {
    for (const [index, value] of array.entries()) {
      const error = Math.abs(got[place][index] - value);
      assert.ok(error < 2e-5 * (1 + Math.abs(value)), `${place}[${index}]: ${got[place][index]} ≠ ${value}`);
    }
  }
  tf.dispose(inputs);
}

for (const [windows, length, d] of [
  [1, 1, 1],
  [3, 2, 6],
  [2, 5, 8],
  [4, 9, 20],
]) {
  for (const rate of [0, 0.4]) {
    test(`attention over ${windows} × ${length} × ${d}, dropout ${rate}, is that of tensor operations, both ways`, () => {
      const square: [number, number, number] = [windows, length, length];
      const mask = rate > 0 ? dropoutMasks(rate, seededRandom(2))(windows * length * length) : undefined;
      const future = tf.tensor2d(
        Float32Array.from({ length: length * length }, (_, n) => (n % length > n / length ? -1e9 : 0)),
        [length, length],
      );
      agree(
        [[windows * length, 3 * d]],
        (tf, projected) => causalAttention(tf, projected, windows, length, mask),
        (tf, projected) => {
          const [query, key, value] = [0, 1, 2].map((part) =>
            tf.reshape(tf.slice(projected, [0, part * d], [windows * length, d]), [windows, length, d]),
          );
          const affinity = tf.div(tf.matMul(query, key, false, true), Math.sqrt(d));
          const shares = tf.softmax(tf.add(affinity, future));
          const kept = mask === undefined ? shares : tf.mul(shares, tf.tensor3d(mask, square));
          return tf.reshape(tf.matMul(kept, value), [windows * length, d]);
        },
      );
    });
  }
}

for (const [rows, d] of [
  [1, 2],
  [5, 7],
  [130, 16],
]) {
  test(`layer norm of ${rows} × ${d} is that of tensor operations, both ways`, () => {
    agree([[rows, d], [d], [d]], layerNorm, (tf, x, gain, bias) => {
      const { mean, variance } = tf.moments(x, 1, true);
      const unit = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, LAYER_NORM_EPSILON)));
      return tf.add(tf.mul(unit, gain), bias);
    });
  });
}

test("an operation leaves what earlier ones returned alone", () => {
  const x = tf.tensor2d([1, 2, 3, 4, 5, 7, 6, 8], [2, 4]);
  const gain: Tensor = tf.ones([4]);
  const bias: Tensor = tf.zeros([4]);
  const kept = layerNorm(tf, x, gain as Tensor2D, bias as Tensor2D);
  const before = kept.dataSync().slice();
  layerNorm(tf, tf.square(x), gain as Tensor2D, bias as Tensor2D);
  assert.deepEqual(kept.dataSync(), before);
});
