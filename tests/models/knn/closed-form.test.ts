import assert from "node:assert/strict";
import { test } from "node:test";
import { inverse, Matrix } from "ml-matrix";
import { itemId } from "../../../models/data/ids.ts";
import type { TrainingSet } from "../../../models/data/interaction-matrix.ts";
import { type EaseParams, ease } from "../../../models/knn/ease.ts";
import { gramInverse } from "../../../models/knn/gram-inverse.ts";
import { sequenceKnn } from "../../../models/knn/sequence-knn.ts";
import { slist } from "../../../models/knn/slist.ts";
import { denseWeights, largestDifference } from "../support/dense-weights.ts";
import { denseRows, randomTrainingSet, trainingSetOf } from "../support/toy-data.ts";

const EASE: EaseParams = { reg: 7, neighbours: 1000, recency: 10 };

function sequences({ interactions }: TrainingSet): number[][] {
  const { users, rowStarts, columns } = interactions;
  return Array.from({ length: users.size }, (_, user) =>
    Array.from(columns.subarray(rowStarts[user], rowStarts[user + 1])),
  );
}

for (const [side, users, items] of [
  ["items", 60, 20],
  ["users", 20, 60],
] as const) {
  test(`EASE by way of the ${side} agrees with the closed form in ml-matrix`, async () => {
    const train = randomTrainingSet(2, users, items, 0.3);
    const x = new Matrix(denseRows(train));
    const p = inverse(x.transpose().mmul(x).add(Matrix.eye(x.columns).mul(EASE.reg)));
    const expected = Array.from({ length: x.columns }, (_, i) =>
      Array.from({ length: x.columns }, (_, j) => (i === j ? 0 : -p.get(i, j) / p.get(j, j))),
    );
    const { arrays } = await ease.fit(train, EASE, { seed: 1 });
    const weights = denseWeights(ease.scorer(arrays, EASE), x.columns);
    assert.ok(largestDifference(weights, expected) < 1e-6);
  });
}

test("SLIST weights agree with the closed form built window by window in ml-matrix", async () => {
  const train = randomTrainingSet(3, 30, 15, 0.4);
  const params = { ...slist.defaults, reg: 5, decay: 3, window: 4, neighbours: 1000 };
  const items = train.interactions.items.size;
  const gram = Matrix.eye(items).mul(params.reg);
  const next = Matrix.zeros(items, items);
  for (const sequence of sequences(train)) {
    for (let event = 1; event < sequence.length; event++) {
      const window = new Array<number>(items).fill(0);
      for (let age = 0; age < Math.min(4, event); age++)
        window[sequence[event - 1 - age]] = Math.exp(-age / 3);
      const column = Matrix.columnVector(window);
      gram.add(column.mmul(column.transpose()));
      next.setColumn(
        sequence[event],
        next.getColumn(sequence[event]).map((value, item) => value + window[item]),
      );
    }
  }
  const expected = inverse(gram).mmul(next).to2DArray();
  const { arrays } = await slist.fit(train, params, { seed: 1 });
  assert.ok(largestDifference(denseWeights(slist.scorer(arrays, params), items), expected) < 1e-6);
});

test("SLIST leaves all but its most used items unscored", async () => {
  const train = trainingSetOf({ a: ["x", "y", "rare"], b: ["x", "y"], c: ["x", "y"] });
  const params = { ...slist.defaults, maxItems: 2 };
  const { arrays } = await slist.fit(train, params, { seed: 1 });
  const weights = denseWeights(slist.scorer(arrays, params), 3);
  const rare = train.interactions.items.ids.indexOf(itemId("rare"));
  assert.deepEqual(weights[rare], [0, 0, 0]);
  assert.ok(weights.every((row) => row[rare] === 0));
});

test("sequence neighbours count closeness and direction as worked out by hand", async () => {
  const train = trainingSetOf({ a: ["x", "y", "z"], b: ["x", "y"] });
  const params = { decay: 2, window: 2, shrinkage: 1, neighbours: 10, recency: 5 };
  const { arrays } = await sequenceKnn.fit(train, params, { seed: 1 });
  const weights = denseWeights(sequenceKnn.scorer(arrays, params), 3);
  const [x, y, z] = ["x", "y", "z"].map((id) => train.interactions.items.ids.indexOf(itemId(id)));
  // x just before y twice, x two before z once; n_x = n_y = 2, n_z = 1.
  assert.ok(Math.abs(weights[x][y] - 2 / 3) < 1e-6);
  assert.ok(Math.abs(weights[x][z] - Math.exp(-1 / 2) / Math.sqrt(6)) < 1e-6);
  assert.equal(weights[y][x], 0);
});

test("what is inverted says what to do when both sides are too large", async () => {
  const events = Object.fromEntries(Array.from({ length: 8001 }, (_, user) => [`u${user}`, [`i${user}`]]));
  await assert.rejects(
    gramInverse(trainingSetOf(events).interactions, 1, 1),
    /8001 items and 8001 users; leave the least used/,
  );
});
