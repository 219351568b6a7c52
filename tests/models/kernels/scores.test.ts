import assert from "node:assert/strict";
import { test } from "node:test";
import { Matrix } from "ml-matrix";
import { Arena } from "../../../models/kernels/arena.ts";
import { ItemScores } from "../../../models/kernels/item-scores.ts";
import { ScoreBounds } from "../../../models/kernels/score-bounds.ts";
import { instantiate, kernelModule } from "../../../models/kernels/wasm.ts";
import { topK } from "../../../models/ranking/ranking.ts";
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

  test(`some rows score bit for bit as all of them do: ${items} items, d = ${d}`, () => {
    const scorer = new ItemScores(randomFactors(items, d), items, d);
    scorer.query.set(randomFactors(1, d, 9));
    const chosen = Uint32Array.from({ length: 3 * items }, (_, place) => (place * 7 + 1) % items);
    const scores = scorer.compute();
    assert.deepEqual(
      scorer.computeOf(chosen),
      Float32Array.from(chosen, (item) => scores[item]),
    );
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

for (const [items, d, scale] of [
  [0, 4, 1],
  [1, 1, 1],
  [7, 3, 1e-30],
  [103, 61, 1],
  [300, 8, 1e12],
  [90, 512, 1],
  [40, 1000, 0.01],
] as const) {
  test(`int8 bounds are never below the float32 scores, and close to them: ${items} items, d = ${d}, scale ${scale}`, () => {
    const factors = randomFactors(items, d).map((value, at) => scale * value * (at % 11 === 0 ? 30 : 1));
    const scorer = new ItemScores(factors, items, d);
    const bounds = new ScoreBounds(scorer);
    for (let seed = 1; seed <= 20; seed++) {
      const query = randomFactors(1, d, seed);
      scorer.query.set(query);
      const scores = scorer.compute();
      const norm = Math.hypot(...query);
      bounds.compute().forEach((bound, item) => {
        assert.ok(bound >= scores[item], `item ${item}: ${bound} < ${scores[item]}`);
        const length = Math.hypot(...factors.subarray(item * d, (item + 1) * d));
        // Half a step of 1/127 of the largest factor, in each of d factors, twice: bound and rounding may add up.
        assert.ok(bound - scores[item] <= ((1.1 * Math.sqrt(d)) / 127) * length * norm, `item ${item}`);
      });
    }
  });
}

test("bounds of a query of zeros are zero, and what is not finite stays so", () => {
  const factors = randomFactors(6, 5);
  factors[7] = Number.NaN;
  factors[12] = Number.POSITIVE_INFINITY;
  const scorer = new ItemScores(factors, 6, 5);
  const bounds = new ScoreBounds(scorer);
  scorer.query.fill(0);
  assert.deepEqual(Array.from(bounds.compute().subarray(3)), [0, 0, 0]);
  scorer.query.set(randomFactors(1, 5, 3));
  assert.deepEqual(Array.from(bounds.compute(), Number.isFinite), [true, false, false, true, true, true]);
  scorer.query[2] = Number.NaN;
  assert.ok(bounds.compute().every(Number.isNaN));
});
