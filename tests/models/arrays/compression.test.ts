import assert from "node:assert/strict";
import { test } from "node:test";
import { compressed, decompressed } from "../../../models/arrays/compression.ts";
import { parseModel, serializeModel } from "../../../models/artifact/artifact.ts";
import { compressionLoss } from "../../../models/artifact/compression-loss.ts";
import { type ItemId, userId } from "../../../models/data/ids.ts";
import { seededRandom } from "../../../models/data/random.ts";
import type { EvaluationRequest } from "../../../models/evaluation/requests.ts";
import { fitModel, type Model, recommenderOf } from "../../../models/model.ts";
import type { Params } from "../../../models/recipe.ts";
import { circle, SMALL_SASREC } from "../support/circle.ts";
import { historyOf, randomTrainingSet } from "../support/toy-data.ts";

test("no value moves by more than half a step of its row, and zeros stay zeros", () => {
  const random = seededRandom(1);
  const [rows, d] = [7, 5];
  const data = Float32Array.from({ length: rows * d }, (_, at) =>
    at < d ? 0 : 10 ** (Math.floor(at / d) - 3) * random.normal(),
  );
  const packed = compressed({ m: { shape: [rows, d], data } }, ["m"]);
  assert.ok(packed.m.data instanceof Int8Array);
  const back = decompressed(packed);
  assert.deepEqual(Object.keys(back), ["m"]);
  for (let at = 0; at < data.length; at++) {
    const step = packed.mScales.data[Math.floor(at / d)];
    assert.ok(Math.abs(back.m.data[at] - data[at]) <= step * 0.5001);
  }
  assert.deepEqual([...back.m.data.subarray(0, d)], [0, 0, 0, 0, 0]);
});

for (const [recipe, train, params] of [
  ["als", randomTrainingSet(1, 60, 80, 0.15), { embeddingSize: 16 }],
  ["sasrec", circle(), SMALL_SASREC],
] as const satisfies readonly (readonly [string, unknown, Params])[]) {
  test(`${recipe}: an int8 artifact is smaller, survives a round trip and lists nearly the same`, async () => {
    const options = { seed: 3 };
    const exact = await fitModel(recipe, train, params, options);
    const small = await fitModel(recipe, train, { ...params, compression: "int8" }, options);
    const bytes = serializeModel(small.model);
    assert.ok(bytes.length < serializeModel(exact.model).length);
    const [revived, rounded, full] = [parseModel(bytes), small.model, exact.model].map(recommenderOf);
    let shared = 0;
    const histories = train.interactions.items.ids.slice(0, 10).map((item) => historyOf(item));
    for (const history of histories) {
      const query = { history, k: 5 };
      assert.deepEqual(revived.recommend(query), rounded.recommend(query));
      const listed = new Set(full.recommend(query).items.map(({ itemId }) => itemId));
      shared += rounded.recommend(query).items.filter(({ itemId }) => listed.has(itemId)).length;
    }
    assert.ok(shared >= 0.9 * 5 * histories.length, `${shared} of ${5 * histories.length}`);
  });
}

test("what compression cost is the difference between two models asked the same", async () => {
  const { model: exact } = await fitModel("popularity", randomTrainingSet(1, 20, 12, 0.5), {}, { seed: 1 });
  const { shape, data } = exact.arrays.popularity;
  const turned = { ...exact, arrays: { popularity: { shape, data: data.map((count) => 100 - count) } } };
  const best = recommenderOf(exact)
    .recommend({ history: [], k: 2 })
    .items.map(({ itemId }) => itemId);
  const ask = (user: string, relevant: readonly ItemId[]): EvaluationRequest => ({
    user: userId(user),
    history: [],
    relevant,
  });
  // Both of a's requests are met by the exact list alone, b's by neither.
  const worst = recommenderOf(turned)
    .recommend({ history: [], k: 2 })
    .items.map(({ itemId }) => itemId);
  const missed = exact.items.ids.find((id) => ![...best, ...worst].includes(id));
  assert.ok(missed !== undefined);
  const requests = [ask("a", best), ask("a", best), ask("b", [missed])];
  const loss = (compressed: Model) => compressionLoss({ compressed, exact }, { requests }, { k: 2, seed: 1 });
  const { users, overlap, ndcg, bytesShare } = loss(turned);
  assert.deepEqual([users, overlap.mean, ndcg.mean, bytesShare], [2, 0, -0.5, 1]);
  const none = loss(exact);
  assert.deepEqual([none.overlap.mean, none.ndcg.mean, none.ndcg.low, none.ndcg.high], [1, 0, 0, 0]);
});

test("a fit is kept compressed and, for comparison, exactly", async () => {
  const train = randomTrainingSet(1, 60, 80, 0.15);
  const exact = await fitModel("als", train, { embeddingSize: 16 }, { seed: 3 });
  const small = await fitModel("als", train, { embeddingSize: 16, compression: "int8" }, { seed: 3 });
  assert.equal(exact.exact, undefined);
  assert.deepEqual(small.exact?.arrays, exact.model.arrays);
});

test("scales that are missing or too few are refused", () => {
  const { m, mScales } = compressed({ m: { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) } }, ["m"]);
  assert.throws(
    () => decompressed({ m }),
    /"mScales": expected one float32 scale for each of the 2 rows of "m", got none/,
  );
  const short = { shape: [1], data: mScales.data.subarray(0, 1) };
  assert.throws(() => decompressed({ m, mScales: short }), /got 1; retrain/);
});
