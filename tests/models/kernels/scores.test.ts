import assert from "node:assert/strict";
import { test } from "node:test";
import { Matrix } from "ml-matrix";
import { Arena } from "../../../models/kernels/arena.ts";
import { Int8Index } from "../../../models/kernels/int8-index.ts";
import { ItemScores } from "../../../models/kernels/item-scores.ts";
import { instantiate, kernelModule } from "../../../models/kernels/wasm.ts";
import { topK } from "../../../models/ranking.ts";
import { randomFactors } from "./ragged.ts";

const shapes = [
  [0, 4],
  [1, 1],
  [2, 3],
  [5, 64],
  [103, 61],
  [1000, 8],
] as const;

function product(factors: Float32Array, items: number, d: number, query: Float32Array): number[] {
  if (items === 0) return [];
  const V = Matrix.from1DArray(items, d, Array.from(factors));
  return V.mmul(Matrix.columnVector(Array.from(query))).to1DArray();
}

for (const [items, d] of shapes) {
  test(`float32 scores equal ml-matrix's product: ${items} items, d = ${d}`, () => {
    const factors = randomFactors(items, d);
    const scorer = new ItemScores(factors, items, d);
    const query = randomFactors(1, d, 9);
    scorer.query.set(query);
    const scores = scorer.compute();
    const expected = product(factors, items, d, query);
    assert.equal(scores.length, items);
    for (let item = 0; item < items; item++) assert.ok(Math.abs(scores[item] - expected[item]) < 1e-4);
  });

  test(`int8 with rescoring finds the exact top: ${items} items, d = ${d}`, () => {
    const factors = randomFactors(items, d);
    const query = randomFactors(1, d, 9);
    const { items: best, scores } = new Int8Index(factors, items, d, 60).top(query, 10);
    const expected = Float32Array.from(product(factors, items, d, query));
    assert.deepEqual(
      best,
      topK(expected, 10, () => true),
    );
    best.forEach((item, place) => {
      assert.ok(Math.abs(scores[place] - expected[item]) < 1e-4);
    });
  });
}

test("factors of the wrong size are refused", () => {
  assert.throws(() => new ItemScores(new Float32Array(7), 2, 4), /expected 2 × 4 values, got 7/);
});

test("the kernel's top-k is that of the ranking, ties and all", () => {
  const arena = new Arena();
  const kernels = instantiate(kernelModule(), arena.memory);
  for (const items of [0, 1, 3, 10, 257]) {
    const scores = arena.floats(items + 3);
    randomFactors(1, items).forEach((value, item) => {
      scores[item] = Math.round(value * 2);
    });
    for (const k of [0, 1, 2, 9, 300]) {
      const heap = arena.words(k);
      const held = kernels.topK(scores.byteOffset, items, k, heap.byteOffset);
      const expected = topK(scores.subarray(0, items), k, () => true);
      assert.deepEqual(heap.slice(0, held), expected);
    }
  }
});

test("an arena's arrays keep their values when it grows, and never start at pointer 0", () => {
  const arena = new Arena();
  const first = arena.floatsOf(Float32Array.of(1, 2, 3));
  const second = arena.bytes(3 * 65_536);
  second.fill(7);
  assert.deepEqual(Array.from(first), [1, 2, 3]);
  assert.ok(first.byteOffset > 0 && second.byteOffset >= first.byteOffset + 12);
});

test("more than 4 GiB are refused with a remedy", () => {
  assert.throws(() => new Arena().floats(2 ** 30), /at most 4 GiB .* lower embeddingSize/);
});
