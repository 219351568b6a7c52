import assert from "node:assert/strict";
import { test } from "node:test";
import { exportFactors } from "../../../models/exchange/export-factors.ts";
import { type ForeignFactors, importFactors } from "../../../models/exchange/import-factors.ts";
import { importedName, isImported } from "../../../models/factorization/imported.ts";
import { fitModel, type Model, recommenderOf } from "../../../models/model.ts";
import type { NamedArray } from "../../../models/recipe.ts";
import { readSafetensors, writeSafetensors } from "../../../models/safetensors/safetensors.ts";
import { historyOf, trainingSetOf } from "../support/toy-data.ts";

const train = trainingSetOf({ ann: ["a", "b"], bob: ["c", "d"], cat: ["a", "c"] });
const IDS = ["a", "b", "c", "d"];
/** a and b point one way, c and d the other. */
const FACTORS = { shape: [4, 2], data: Float32Array.of(1, 0, 1, 0.5, -1, 0.5, -1, 1) };

function foreign(
  tensors: Readonly<Record<string, NamedArray>> = { itemFactors: FACTORS },
  metadata: Readonly<Record<string, string>> = {},
  more: Partial<ForeignFactors> = {},
): ForeignFactors {
  const bytes = writeSafetensors({
    tensors: new Map(Object.entries(tensors)),
    metadata: new Map(Object.entries(metadata)),
  });
  const file = readSafetensors(bytes);
  return { file, source: "a".repeat(64), itemIds: IDS, recipe: "imported-toy", ...more };
}
const imported = (given: ForeignFactors) => importFactors(given, (item) => IDS.includes(item), train);
const listOf = (given: ForeignFactors, ...history: string[]) =>
  recommenderOf(imported(given)).recommend({ history: historyOf(...history), k: 2 }).items;

/** VᵀV is summed again where factors are imported: the last bits of a score may differ. */
const listWithRoundScores = (
  model: Model,
  query: { readonly history: ReturnType<typeof historyOf>; k: number },
) =>
  recommenderOf(model)
    .recommend(query)
    .items.map(({ itemId, score }) => [itemId, score.toFixed(5)]);

test("scores are the inner products with the mean of the history's vectors", () => {
  const given = foreign({ itemFactors: FACTORS }, {}, { encoder: "mean" });
  const [first, second] = listOf(given, "a", "c");
  // The mean of a and c is (0, .25).
  assert.deepEqual([first.itemId, first.score], ["d", 0.25]);
  assert.deepEqual([second.itemId, second.score], ["b", 0.125]);
});

test("with recency the newest item of a history speaks loudest", () => {
  const metadata = { encoder: "recency", recency: "0.5" };
  assert.equal(listOf(foreign({ itemFactors: FACTORS }, metadata), "c", "a")[0].itemId, "b");
  assert.equal(listOf(foreign({ itemFactors: FACTORS }, metadata), "a", "c")[0].itemId, "d");
});

test("an item's bias is added to its score", () => {
  const itemBias = { shape: [4], data: Float32Array.of(0, 9, 0, 0) };
  const given = foreign({ itemFactors: FACTORS, itemBias }, {}, { encoder: "mean" });
  assert.deepEqual(
    listOf(given, "a", "c").map(({ itemId, score }) => [itemId, score]),
    [
      ["b", 9.125],
      ["d", 0.25],
    ],
  );
});

test("factors of our own ALS, exported and imported with its fold-in, give its very lists", async () => {
  const { model } = await fitModel("als", train, { embeddingSize: 2 }, { seed: 3 });
  const { file, itemIds } = exportFactors(model, "2020-01-01T00:00:00.000Z");
  const again = imported({ ...foreign(), file: readSafetensors(file), itemIds });
  const { reg, unobservedWeight, regExponent, recency } = model.params;
  const expected = {
    reg,
    unobservedWeight,
    regExponent,
    recency,
    encoder: "fold-in",
    source: "a".repeat(64),
  };
  assert.deepEqual(again.params, expected);
  const query = { history: historyOf("a", "d"), k: 2 };
  assert.deepEqual(listWithRoundScores(again, query), listWithRoundScores(model, query));
});

test("ratings that counted where factors were trained count where they are imported", async () => {
  const params = { embeddingSize: 2, ratingExponent: 0.5 };
  const rated = {
    ...train,
    interactions: { ...train.interactions, weights: Float32Array.of(5, 1, 3, 4, 2, 5) },
  };
  const { model } = await fitModel("als", rated, params, { seed: 3 });
  const { file, itemIds } = exportFactors(model, "2020-01-01");
  const again = imported({ ...foreign(), file: readSafetensors(file), itemIds });
  assert.deepEqual(again.arrays.meanRating, model.arrays.meanRating);
  for (const weights of [
    [1, 5],
    [5, 1],
  ]) {
    const history = historyOf("a", "d").map((entry, place) => ({ ...entry, weight: weights[place] }));
    assert.deepEqual(
      listWithRoundScores(again, { history, k: 2 }),
      listWithRoundScores(model, { history, k: 2 }),
    );
  }
  const untold = imported(foreign(undefined, { encoder: "fold-in", ratingExponent: "1" }));
  assert.deepEqual(Array.from(untold.arrays.meanRating.data), [1]);
  assert.throws(
    () => imported(foreign(undefined, { encoder: "fold-in", ratingExponent: "1", meanRating: "0" })),
    /"meanRating" as a number above 0, got "0"/,
  );
});

test("compressed factors are exported as the float32 they stand for, and imported ones with bias and encoder", async () => {
  const { model } = await fitModel("als", train, { embeddingSize: 2, compression: "int8" }, { seed: 3 });
  const { tensors } = readSafetensors(exportFactors(model, "2020-01-01").file);
  assert.deepEqual([...tensors.keys()], ["itemFactors"]);
  const itemBias = { shape: [4], data: Float32Array.of(0, 9, 0, 0) };
  const first = imported(foreign({ itemFactors: FACTORS, itemBias }, {}, { encoder: "mean" }));
  const { file, itemIds, d } = exportFactors(first, "2020-01-01");
  assert.equal(d, 2);
  const second = imported({ ...foreign(), file: readSafetensors(file), itemIds });
  assert.deepEqual(second.params, first.params);
  assert.deepEqual(second.arrays, first.arrays);
});

test("a model that is more than item factors is not exported", async () => {
  const { model } = await fitModel("item-knn", train, {}, { seed: 1 });
  assert.throws(
    () => exportFactors(model, "2020-01-01"),
    /a model of item factors such as als, got item-knn; train/,
  );
});

for (const [what, given, message] of [
  ["no factors", foreign({ vectors: FACTORS }), /expected an array itemFactors .*got vectors; name it/],
  [
    "a vector for a matrix",
    foreign({ itemFactors: { shape: [8], data: FACTORS.data } }),
    /shape \(items × d\), got \[8\]/,
  ],
  [
    "whole numbers",
    foreign({ itemFactors: { shape: [4, 2], data: new Int32Array(8) } }),
    /float32, got Int32Array; convert/,
  ],
  [
    "too few ids",
    foreign(undefined, {}, { itemIds: ["a", "b"] }),
    /each of the 4 rows of itemFactors, got 2/,
  ],
  [
    "an id twice",
    foreign(undefined, {}, { itemIds: ["a", "b", "a", "d"] }),
    /distinct item ids, got "a" again at row 2/,
  ],
  [
    "an empty id",
    foreign(undefined, {}, { itemIds: ["a", "b", "", "d"] }),
    /an item id for row 2, got an empty one/,
  ],
  [
    "a stranger",
    foreign(undefined, {}, { itemIds: ["a", "b", "c", "x"] }),
    /got 1 of 4 .*\(x\); .*--skip-unknown/,
  ],
  [
    "strangers only",
    foreign(undefined, {}, { itemIds: ["w", "x", "y", "z"], skipUnknown: true }),
    /got 4 of 4 .*\(w, x, y, …\)/,
  ],
  [
    "an unknown encoder",
    foreign(undefined, { encoder: "gru" }),
    /an encoder of mean, recency, fold-in, got "gru"/,
  ],
  [
    "metadata that is no number",
    foreign(undefined, { recency: "soon" }),
    /"recency" as a number from 0, got "soon"/,
  ],
  [
    "a bias of another length",
    foreign({ itemFactors: FACTORS, itemBias: { shape: [3], data: new Float32Array(3) } }),
    /itemBias as float32 of shape \[4\]/,
  ],
] as const) {
  test(`${what} is refused with what was expected, what was got and the remedy`, () => {
    assert.throws(() => imported(given), message);
  });
}

test("items that the catalogue does not know are left out when asked to", () => {
  const model = imported(foreign(undefined, {}, { itemIds: ["a", "x", "c", "d"], skipUnknown: true }));
  assert.deepEqual(model.items.ids, ["a", "c", "d"]);
  assert.deepEqual(Array.from(model.arrays.itemFactors.data), [1, 0, -1, 0.5, -1, 1]);
});

test("two sources are two recipes", () => {
  assert.equal(importedName("spark-als"), "imported-spark-als");
  assert.equal(importedName("imported-spark-als"), "imported-spark-als");
  assert.ok(isImported("imported-spark-als") && !isImported("als"));
  assert.throws(
    () => importedName("Spark ALS"),
    /small letters, digits and hyphens, got "Spark ALS"; rename it/,
  );
});

test("it cannot be trained here, and says where it can", async () => {
  await assert.rejects(fitModel("imported-toy", train, {}, { seed: 1 }), /run phasewise import-model/);
});
