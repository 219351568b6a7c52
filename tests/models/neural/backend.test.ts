import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mock, test } from "node:test";
import { promisify } from "node:util";
import { loadBackend } from "../../../models/neural/backend.ts";

const TRANSPOSES = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
] as const;

/** Deterministic and far from symmetric. */
const numbers = (size: number): Float32Array =>
  Float32Array.from({ length: size }, (_, n) => Math.sin(n * 1.7));
const side = (rows: number, columns: number, transposed: boolean): [number, number] =>
  transposed ? [columns, rows] : [rows, columns];

function near(actual: Float32Array, expected: Float32Array): void {
  assert.equal(actual.length, expected.length);
  for (let index = 0; index < actual.length; index++) {
    assert.ok(
      Math.abs(actual[index] - expected[index]) < 1e-4,
      `${actual[index]} ≠ ${expected[index]} at ${index}`,
    );
  }
}

test("a backend loads, and its name says which", async () => {
  const { tf, name } = await loadBackend();
  assert.match(name, /^tfjs-(native|wasm)$/);
  assert.equal(tf.getBackend(), name === "tfjs-native" ? "tensorflow" : "wasm");
});

test("no backend prints anything or touches the process's error handlers", async () => {
  const warn = mock.method(console, "warn", () => undefined);
  const before = process.listenerCount("unhandledRejection");
  for (const engine of ["wasm", "cpu"] as const) {
    const { tf } = await loadBackend(engine);
    tf.tensor1d([1, 2]).dispose();
  }
  assert.equal(warn.mock.callCount(), 0);
  assert.equal(process.listenerCount("unhandledRejection"), before);
  warn.mock.restore();
});

test("matrix products on WebAssembly, transposed and batched, agree with the reference backend", async () => {
  const products: Float32Array[][] = [];
  for (const engine of ["wasm", "cpu"] as const) {
    const { tf } = await loadBackend(engine);
    const results: Float32Array[] = [];
    for (const [leading, rightLeading] of [
      [[], []],
      [[3], [3]],
      [[1], [3]],
      [[3], [1]],
    ]) {
      for (const [transposeA, transposeB] of TRANSPOSES) {
        tf.tidy(() => {
          const shapeA = [...leading, ...side(5, 7, transposeA)];
          const shapeB = [...rightLeading, ...side(7, 2, transposeB)];
          const a = tf.tensor(numbers(shapeA.reduce((x, y) => x * y, 1)), shapeA);
          const b = tf.tensor(numbers(shapeB.reduce((x, y) => x * y, 1)), shapeB);
          results.push(tf.matMul(a, b, transposeA, transposeB).dataSync<"float32">());
        });
      }
    }
    assert.equal(tf.memory().numTensors, 0);
    products.push(results);
  }
  for (const [index, product] of products[0].entries()) near(product, products[1][index]);
});

for (const [rows, m, n] of [
  [11, 3, 5],
  [1, 1, 1],
  [130, 9, 17],
  [64, 24, 8],
]) {
  test(`the product of a transposed ${rows} × ${m} and a ${rows} × ${n} matrix agrees with the reference backend`, async () => {
    const results: Float32Array[] = [];
    for (const engine of ["wasm", "cpu"] as const) {
      const { tf } = await loadBackend(engine);
      tf.tidy(() => {
        const a = tf.tensor2d(numbers(rows * m), [rows, m]);
        const b = tf.tensor2d(numbers(rows * n), [rows, n]);
        results.push(tf.matMul(a, b, true).dataSync<"float32">());
      });
      assert.equal(tf.memory().numTensors, 0);
    }
    near(results[0], results[1]);
  });
}

test("the sum of segments, gradient of gather, agrees with the reference backend", async () => {
  const gradients: Float32Array[] = [];
  for (const engine of ["wasm", "cpu"] as const) {
    const { tf } = await loadBackend(engine);
    tf.tidy(() => {
      const table = tf.tensor2d(numbers(12), [4, 3]);
      const picked = tf.tensor1d([2, 0, 2, 3, 2], "int32");
      const slopes = tf.tensor2d(numbers(15), [5, 3]);
      const gradient = tf.grad((x) => tf.sum(tf.mul(tf.gather(x, picked), slopes)))(table);
      gradients.push(gradient.dataSync<"float32">());
    });
  }
  near(gradients[0], gradients[1]);
  // Row 1 was never picked.
  assert.deepEqual([...gradients[0].slice(3, 6)], [0, 0, 0]);
});

test("serving a network imports nothing of TensorFlow", async () => {
  const phases = new URL("../../../models/phases.js", import.meta.url).href;
  const model = new URL("../../../models/model.js", import.meta.url).href;
  const script = `
    await import(${JSON.stringify(phases)});
    await import(${JSON.stringify(model)});
    const { createRequire } = await import("node:module");
    const loaded = Object.keys(createRequire(${JSON.stringify(phases)}).cache);
    console.log(loaded.filter((file) => file.includes("@tensorflow")).length);
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
  assert.equal(stdout.trim(), "0");
});
