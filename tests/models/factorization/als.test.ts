import assert from "node:assert/strict";
import { test } from "node:test";
import { Matrix, solve } from "ml-matrix";
import { itemId, userId } from "../../../models/data/ids.ts";
import type { TrainingSet } from "../../../models/data/interaction-matrix.ts";
import { Vocabulary } from "../../../models/data/vocabulary.ts";
import { als } from "../../../models/factorization/als.ts";
import { recencyWeights } from "../../../models/factorization/fold-in.ts";
import type { EncodedHistory, NamedArrays } from "../../../models/recipe.ts";

const small = { ...als.defaults, embeddingSize: 8, epochs: 6, halfLifeDays: 0 };

function trainOn(rows: readonly (readonly number[])[], items: number): TrainingSet {
  const flat = rows.flat();
  const rowStarts = new Uint32Array(rows.length + 1);
  rows.forEach((row, user) => {
    rowStarts[user + 1] = rowStarts[user] + row.length;
  });
  return {
    interactions: {
      users: new Vocabulary(rows.map((_, user) => userId(`u${user}`))),
      items: new Vocabulary(Array.from({ length: items }, (_, item) => itemId(`i${item}`))),
      rowStarts,
      columns: Uint32Array.from(flat),
      weights: Float32Array.from(flat, (_, slot) => 1 + (slot % 5)),
      timestamps: Float64Array.from(flat, (_, slot) => slot * 86_400_000),
    },
    catalogue: new Map(),
    through: flat.length * 86_400_000,
  };
}

/** User u watched every item of the same parity, except that row 0 lacks items 6 and 8. */
function checkerboard(): TrainingSet {
  const rows = Array.from({ length: 12 }, (_, user) =>
    Array.from({ length: 10 }, (_, place) => place * 2 + (user % 2)).filter(
      (item) => user !== 0 || (item !== 6 && item !== 8),
    ),
  );
  return trainOn(rows, 20);
}

function history(items: readonly number[]): EncodedHistory {
  return {
    items: Uint32Array.from(items),
    weights: new Float32Array(items.length).fill(1),
    timestamps: Float64Array.from(items, (_, place) => place),
  };
}

test("on a checkerboard every item of the same colour scores above every other", async () => {
  const { arrays } = await als.fit(checkerboard(), small, { seed: 1 });
  const scores = als.scorer(arrays, small).scoreItems(history([0, 2]));
  assert.ok(scores);
  for (let even = 0; even < 20; even += 2) {
    for (let odd = 1; odd < 20; odd += 2) assert.ok(scores[even] > scores[odd] + 0.05);
  }
});

test("the loss falls with every epoch, with and without ratings and age", async () => {
  const train = checkerboard();
  for (const extra of [{}, { ratingExponent: 0.5, halfLifeDays: 30 }]) {
    const params = { ...small, ...extra, epochs: 5 };
    const { report } = await als.fit(train, params, { seed: 2 });
    for (let epoch = 1; epoch < 5; epoch++)
      assert.ok(report.losses[epoch] <= report.losses[epoch - 1] + 1e-6);
    assert.equal(report.losses.length, 5);
  }
});

test("fold-in equals one ridge regression solved by ml-matrix", async () => {
  const params = { ...small, recency: 3, reg: 0.02, unobservedWeight: 0.2, embeddingSize: 5 };
  const { arrays } = await als.fit(checkerboard(), params, { seed: 3 });
  const watched = [4, 7, 2];
  const scores = als.scorer(arrays, params).scoreItems(history(watched));
  assert.ok(scores);
  const V = Matrix.from1DArray(20, 5, Array.from(arrays.itemFactors.data));
  const seen = V.subMatrixRow(watched);
  const weights = watched.map((_, place) => Math.exp(-(watched.length - 1 - place) / 3));
  const mass = weights.reduce((sum, weight) => sum + weight, 0);
  const A = V.transpose().mmul(V).mul(0.2);
  A.add(seen.transpose().mmul(Matrix.diag(weights)).mmul(seen));
  A.add(Matrix.eye(5, 5).mul(0.02 * (mass + 0.2 * 20)));
  const b = seen.transpose().mmul(Matrix.columnVector(weights));
  const expected = V.mmul(solve(A, b)).to1DArray();
  for (let item = 0; item < 20; item++) assert.ok(Math.abs(scores[item] - expected[item]) < 1e-4);
});

test("a history's ratings weigh its items in the fold-in as they did in training", async () => {
  const params = { ...small, recency: 3, ratingExponent: 0.5, embeddingSize: 5 };
  const { arrays } = await als.fit(checkerboard(), params, { seed: 3 });
  // Ratings 1 … 5 in turn over 118 interactions.
  const mean = arrays.meanRating.data[0];
  assert.ok(Math.abs(mean - (23 * 15 + 1 + 2 + 3) / 118) < 1e-6);
  const watched = [4, 7, 2];
  const ratings = [5, 1, 0];
  const scores = als
    .scorer(arrays, params)
    .scoreItems({ ...history(watched), weights: Float32Array.from(ratings) });
  assert.ok(scores);
  const V = Matrix.from1DArray(20, 5, Array.from(arrays.itemFactors.data));
  const weights = ratings.map((rating, place) => Math.exp(-(2 - place) / 3) * Math.sqrt(rating / mean));
  const mass = weights.reduce((sum, weight) => sum + weight, 0);
  const seen = V.subMatrixRow(watched);
  const A = V.transpose().mmul(V).mul(params.unobservedWeight);
  A.add(seen.transpose().mmul(Matrix.diag(weights)).mmul(seen));
  A.add(Matrix.eye(5, 5).mul(params.reg * (mass + params.unobservedWeight * 20)));
  const b = seen.transpose().mmul(Matrix.columnVector(weights));
  const expected = V.mmul(solve(A, b)).to1DArray();
  for (let item = 0; item < 20; item++) assert.ok(Math.abs(scores[item] - expected[item]) < 1e-4);
  const nothing = { ...history(watched), weights: new Float32Array(3) };
  assert.equal(als.scorer(arrays, params).scoreItems(nothing), null);
  assert.throws(() => als.scorer({ ...arrays, meanRating: arrays.gram }, params), /"meanRating": expected/);
});

test("an empty history says nothing", async () => {
  const { arrays } = await als.fit(checkerboard(), small, { seed: 1 });
  assert.equal(als.scorer(arrays, small).scoreItems(history([])), null);
});

test("the same seed gives the same arrays and another seed others", async () => {
  const train = checkerboard();
  const [first, again, other] = await Promise.all([5, 5, 6].map((seed) => als.fit(train, small, { seed })));
  assert.deepEqual(again.arrays, first.arrays);
  assert.notDeepEqual(other.arrays, first.arrays);
});

test("users without interactions and one-item catalogues are fitted too", async () => {
  const { arrays } = await als.fit(trainOn([[], [0], []], 1), { ...small, embeddingSize: 3 }, { seed: 1 });
  const scores = als.scorer(arrays, { ...small, embeddingSize: 3 }).scoreItems(history([0]));
  assert.ok(scores && scores.length === 1 && Number.isFinite(scores[0]));
});

for (const method of ["cholesky", "conjugate-gradient"] as const) {
  test(`${method}: a rating that is no number is refused before it becomes a model`, async () => {
    const train = checkerboard();
    train.interactions.weights[5] = Number.NaN;
    const params = { ...small, method, ratingExponent: 1 };
    await assert.rejects(
      als.fit(train, params, { seed: 1 }),
      /als: expected a finite loss, got NaN in epoch 1; look/,
    );
    await als.fit(train, { ...params, ratingExponent: 0 }, { seed: 1 });
  });
}

test("fitting stops between sweeps when it is aborted", async () => {
  const controller = new AbortController();
  const seen: number[] = [];
  const fitting = als.fit(checkerboard(), small, {
    seed: 1,
    signal: controller.signal,
    onProgress: ({ fraction }) => {
      seen.push(fraction);
      if (seen.length === 2) controller.abort();
    },
  });
  await assert.rejects(fitting, { name: "AbortError" });
  assert.deepEqual(seen, [1 / 6, 2 / 6]);
});

test("history weights fade by e every `recency` events", () => {
  assert.deepEqual(
    Array.from(recencyWeights(3, 1)),
    Array.from(Float32Array.of(Math.exp(-2), Math.exp(-1), 1)),
  );
  assert.deepEqual(Array.from(recencyWeights(2, 0)), [1, 1]);
});

test("arrays that do not fit each other are refused", async () => {
  const { arrays } = await als.fit(checkerboard(), small, { seed: 1 });
  const gram = { shape: [2, 2], data: new Float32Array(4) };
  assert.throws(() => als.scorer({ ...arrays, gram }, small), /"gram": expected 8 × 8, got 2 × 2/);
  assert.throws(() => als.scorer({ gram }, small), /"itemFactors": expected a Float32Array matrix, got none/);
});

const warmFrom = (
  { arrays }: { readonly arrays: NamedArrays },
  ids = checkerboard().interactions.items.ids,
) => ({
  version: "als-earlier",
  items: new Vocabulary(ids),
  arrays,
});

test("a warm start begins where the earlier fit ended and takes a share of the sweeps", async () => {
  const finished = await als.fit(checkerboard(), { ...small, epochs: 40 }, { seed: 1 });
  const [warm, cold] = await Promise.all(
    [warmFrom(finished), undefined].map((warmStart) =>
      als.fit(checkerboard(), { ...small, epochs: 10 }, { seed: 9, warmStart }),
    ),
  );
  assert.deepEqual([cold.report.epochs, warm.report.epochs], [10, 3]);
  assert.deepEqual([cold.report.warmStart, warm.report.warmStart], [undefined, "als-earlier"]);
  assert.ok(Math.abs(warm.report.losses[0] - finished.report.losses[39]) < 1e-4);
  assert.ok(cold.report.losses[0] > finished.report.losses[39] + 0.01);
});

test("a warm start goes by item id: another order of rows is the same start, an unknown item starts afresh", async () => {
  const { arrays } = await als.fit(checkerboard(), small, { seed: 1 });
  const { ids } = checkerboard().interactions.items;
  const d = small.embeddingSize;
  const rows = (order: readonly number[]): NamedArrays => ({
    itemFactors: {
      shape: [order.length, d],
      data: Float32Array.from(
        order.flatMap((row) => [...arrays.itemFactors.data.subarray(row * d, (row + 1) * d)]),
      ),
    },
  });
  const fitFrom = async (order: readonly number[]) => {
    const warmStart = warmFrom(
      { arrays: rows(order) },
      order.map((row) => ids[row]),
    );
    return (await als.fit(checkerboard(), small, { seed: 2, warmStart })).arrays;
  };
  const inOrder = [...ids.keys()];
  assert.deepEqual(await fitFrom(inOrder.toReversed()), await fitFrom(inOrder));
  const withoutFirst = await fitFrom(inOrder.slice(1));
  assert.notDeepEqual(withoutFirst, await fitFrom(inOrder));
  assert.deepEqual(await fitFrom(inOrder.slice(1)), withoutFirst);
});

test("factors of another size are no start: the fit is cold", async () => {
  const other = await als.fit(checkerboard(), { ...small, embeddingSize: 4 }, { seed: 1 });
  const fitted = await als.fit(checkerboard(), small, { seed: 1, warmStart: warmFrom(other) });
  assert.deepEqual(fitted, await als.fit(checkerboard(), small, { seed: 1 }));
});

test("one and two threads give the same model", async () => {
  const [one, two] = await Promise.all(
    [1, 2].map((threads) => als.fit(checkerboard(), small, { seed: 1, threads })),
  );
  assert.deepEqual(two.arrays, one.arrays);
});
