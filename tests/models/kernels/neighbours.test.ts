import assert from "node:assert/strict";
import { test } from "node:test";
import { Matrix } from "ml-matrix";
import type { SparseRows } from "../../../models/data/sparse-rows.ts";
import { nearestNeighbours } from "../../../models/kernels/neighbours.ts";
import { raggedRows } from "./ragged.ts";

const options = { k: 4, shrinkage: 3, threads: 1 };

/** Similarities by brute force from the dense matrix. */
function denseSimilarities(rows: SparseRows, shrinkage: number): Matrix {
  const W = Matrix.zeros(rows.rows, rows.others);
  const B = Matrix.zeros(rows.rows, rows.others);
  for (let user = 0; user < rows.rows; user++) {
    for (let slot = rows.starts[user]; slot < rows.starts[user + 1]; slot++) {
      W.set(user, rows.columns[slot], rows.weights?.[slot] ?? 1);
      B.set(user, rows.columns[slot], 1);
    }
  }
  const S = W.transpose().mmul(W);
  const C = B.transpose().mmul(B);
  const sims = Matrix.zeros(rows.others, rows.others);
  for (let i = 0; i < rows.others; i++) {
    for (let j = 0; j < rows.others; j++) {
      const shared = C.get(i, j);
      if (i === j || shared === 0) continue;
      const cosine = S.get(i, j) / Math.sqrt(S.get(i, i) * S.get(j, j));
      sims.set(i, j, (cosine * shared) / (shared + shrinkage));
    }
  }
  return sims;
}

for (const [users, items, weighted] of [
  [0, 3, false],
  [2, 1, false],
  [4, 2, true],
  [17, 23, true],
  [60, 130, false],
] as const) {
  test(`neighbours equal brute force: ${users} users × ${items} items`, async () => {
    const rows = raggedRows(users, items, weighted);
    const expected = denseSimilarities(rows, options.shrinkage);
    const found = await nearestNeighbours(rows, options);
    for (let item = 0; item < items; item++) {
      const [from, to] = [found.starts[item], found.starts[item + 1]];
      const best = Array.from(expected.getRow(item))
        .filter((sim) => sim > 0)
        .sort((a, b) => b - a)
        .slice(0, options.k);
      assert.equal(to - from, best.length);
      for (let place = 0; place < best.length; place++) {
        const other = found.columns[from + place];
        const sim = found.weights[from + place];
        assert.ok(Math.abs(sim - best[place]) < 1e-5);
        assert.ok(Math.abs(expected.get(item, other) - sim) < 1e-5);
        if (place > 0) {
          const before = found.weights[from + place - 1];
          assert.ok(before > sim || (before === sim && found.columns[from + place - 1] < other));
        }
      }
    }
  });
}

test("a weight that is no number makes no neighbour, and spoils nobody else's", async () => {
  const rows = raggedRows(17, 23, true);
  const spoilt = { ...rows, weights: rows.weights?.slice() ?? new Float32Array(0) };
  const item = 5;
  for (const [slot, column] of rows.columns.entries()) if (column === item) spoilt.weights[slot] = Number.NaN;
  const found = await nearestNeighbours(spoilt, { ...options, k: 23 });
  const clean = await nearestNeighbours(rows, { ...options, k: 23 });
  const listOf = ({ starts, columns, weights }: typeof found, of: number) =>
    Array.from(columns.subarray(starts[of], starts[of + 1]), (other, place) => [
      other,
      weights[starts[of] + place],
    ]);
  assert.deepEqual(listOf(found, item), []);
  for (let other = 0; other < 23; other++) {
    if (other === item) continue;
    assert.deepEqual(
      listOf(found, other),
      listOf(clean, other).filter(([neighbour]) => neighbour !== item),
    );
  }
});

test("one and three threads find the same neighbours", async () => {
  const rows = raggedRows(80, 200, true);
  const alone = await nearestNeighbours(rows, { ...options, k: 20 });
  assert.deepEqual(await nearestNeighbours(rows, { ...options, k: 20, threads: 3 }), alone);
});
