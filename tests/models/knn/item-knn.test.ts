import assert from "node:assert/strict";
import { test } from "node:test";
import { itemId } from "../../../models/data/ids.ts";
import { type ItemKnnParams, itemKnn } from "../../../models/knn/item-knn.ts";
import type { Weighting } from "../../../models/knn/user-weights.ts";
import { denseWeights, largestDifference } from "../support/dense-weights.ts";
import { denseRows, randomTrainingSet, trainingSetOf } from "../support/toy-data.ts";

const ALL: ItemKnnParams = { weighting: "cosine", shrinkage: 0, neighbours: 1000, rarity: 0, recency: 10 };

/** Column cosine of the fully weighted matrix, idf and all, straight from the definitions. */
function bruteForce(
  rows: readonly (readonly number[])[],
  weighting: Weighting,
  shrinkage: number,
): number[][] {
  const items = rows[0].length;
  const lengths = rows.map((row) => row.reduce((sum, value) => sum + value, 0));
  const meanLength = lengths.reduce((sum, length) => sum + length, 0) / rows.length;
  const weighted = rows.map((row, user) =>
    row.map((value, item) => {
      const having = rows.reduce((sum, other) => sum + other[item], 0);
      const idf = Math.log(1 + rows.length / having);
      if (weighting === "bm25")
        return (value * idf * 2.2) / (1.2 * (0.25 + (0.75 * lengths[user]) / meanLength) + value);
      return weighting === "tfidf" ? value * Math.log(1 + items / lengths[user]) : value;
    }),
  );
  const dot = (m: readonly (readonly number[])[], i: number, j: number): number =>
    m.reduce((sum, row) => sum + row[i] * row[j], 0);
  return Array.from({ length: items }, (_, i) =>
    Array.from({ length: items }, (_, j) => {
      if (i === j) return 0;
      const together = dot(rows, i, j);
      if (together === 0) return 0;
      const cosine = dot(weighted, i, j) / Math.sqrt(dot(weighted, i, i) * dot(weighted, j, j));
      return (cosine * together) / (together + shrinkage);
    }),
  );
}

for (const weighting of ["bm25", "tfidf", "cosine"] as const) {
  test(`${weighting} similarities with shrinkage agree with brute force`, async () => {
    const train = randomTrainingSet(1, 40, 25, 0.3);
    const params = { ...ALL, weighting, shrinkage: 5 };
    const { arrays } = await itemKnn.fit(train, params, { seed: 1 });
    const weights = denseWeights(itemKnn.scorer(arrays, params), train.interactions.items.size);
    assert.ok(largestDifference(weights, bruteForce(denseRows(train), weighting, 5)) < 1e-6);
  });
}

test("what a history item adds is scaled by its inverse frequency, and never to nothing", async () => {
  const train = trainingSetOf({ a: ["x", "y", "z"], b: ["x", "y"], c: ["x", "y"], d: ["x", "z"] });
  const dense = async (rarity: number) => {
    const params = { ...ALL, rarity };
    return denseWeights(itemKnn.scorer((await itemKnn.fit(train, params, { seed: 1 })).arrays, params), 3);
  };
  const [alike, scaled] = [await dense(0), await dense(2)];
  const [x, , z] = ["x", "y", "z"].map((id) => train.interactions.items.ids.indexOf(itemId(id)));
  // Four users: z has two of them, ln(4/3); x has all, ln(4/5) < 0.01.
  assert.ok(Math.abs(scaled[z][x] - alike[z][x] * Math.log(4 / 3) ** 2) < 1e-6);
  assert.ok(Math.abs(scaled[x][z] - alike[x][z] * 0.01 ** 2) < 1e-6);
});

test("an item takes its score from its K most similar items only", async () => {
  const train = trainingSetOf({ a: ["x", "y", "z"], b: ["x", "y"], c: ["x", "y"], d: ["x", "z"] });
  const params = { ...ALL, neighbours: 1 };
  const { arrays } = await itemKnn.fit(train, params, { seed: 1 });
  const weights = denseWeights(itemKnn.scorer(arrays, params), 3);
  const [x, y, z] = ["x", "y", "z"].map((id) => train.interactions.items.ids.indexOf(itemId(id)));
  // cos(x, y) = 3/√12, cos(x, z) = 2/√8, cos(y, z) = 1/√6: x listens to y, y to x, and z to x.
  assert.ok(Math.abs(weights[y][x] - 3 / Math.sqrt(12)) < 1e-6);
  assert.ok(Math.abs(weights[x][z] - 2 / Math.sqrt(8)) < 1e-6);
  assert.equal(weights[z][x], 0);
  assert.equal(weights[y][z], 0);
});

test("a history entry n events older weighs exp(-n / recency) as much", async () => {
  const train = trainingSetOf({ a: ["old", "p"], b: ["new", "q"] });
  const { arrays } = await itemKnn.fit(train, ALL, { seed: 1 });
  const index = (id: string) => train.interactions.items.ids.indexOf(itemId(id));
  const scores = itemKnn.scorer(arrays, { ...ALL, recency: 4 }).scoreItems({
    items: Uint32Array.of(index("old"), index("new")),
    weights: Float32Array.of(1, 1),
    timestamps: Float64Array.of(0, 1),
  });
  assert.ok(scores !== null);
  assert.ok(Math.abs(scores[index("p")] / scores[index("q")] - Math.exp(-1 / 4)) < 1e-6);
});
