import assert from "node:assert/strict";
import { test } from "node:test";
import { compressed } from "../../../models/arrays/compression.ts";
import { itemId } from "../../../models/data/ids.ts";
import { seededRandom } from "../../../models/data/random.ts";
import { Vocabulary } from "../../../models/data/vocabulary.ts";
import { sasrec } from "../../../models/neural/sasrec.ts";
import { warmWeights } from "../../../models/neural/warm-start.ts";
import { initialWeights } from "../../../models/neural/weights.ts";
import type { FitOptions, NamedArrays } from "../../../models/recipe.ts";
import { circle, SMALL_SASREC } from "../support/circle.ts";

const named = (...names: string[]) => new Vocabulary(names.map(itemId));
const network = (items: number, seed: number, embeddingSize = 4) =>
  initialWeights({ items, embeddingSize, blocks: 1, maxLength: 3 }, seededRandom(seed));
const from = (arrays: NamedArrays, items = named("a", "b", "c")) => ({
  version: "sasrec-earlier",
  items,
  arrays,
});
const row = (weights: NamedArrays, item: number) => [
  ...weights.itemEmbedding.data.subarray(4 * item, 4 * item + 4),
];

test("items find their vectors by id, new ones keep a fresh vector, all else is the earlier version's", () => {
  const [earlier, fresh] = [network(3, 1), network(4, 2)];
  const warm = warmWeights(fresh, named("c", "new", "a", "other"), from(earlier));
  assert.ok(warm !== null);
  assert.deepEqual(
    [0, 1, 2, 3].map((item) => row(warm, item)),
    [row(earlier, 2), row(fresh, 1), row(earlier, 0), row(fresh, 3)],
  );
  for (const name of Object.keys(earlier)) {
    if (name !== "itemEmbedding") assert.deepEqual(warm[name], earlier[name]);
  }
});

test("a compressed version is a start too, to within its rounding", () => {
  const [earlier, fresh] = [network(3, 1), network(3, 2)];
  const warm = warmWeights(fresh, named("a", "b", "c"), from(compressed(earlier, ["itemEmbedding"])));
  assert.ok(warm !== null);
  for (const [index, value] of earlier.itemEmbedding.data.entries()) {
    assert.ok(Math.abs(warm.itemEmbedding.data[index] - value) < 1e-3);
  }
});

test("nothing, or a network of another size, is no start", () => {
  const fresh = network(3, 2);
  const items = named("a", "b", "c");
  const { finalGain: _, ...torn } = network(3, 1);
  assert.equal(warmWeights(fresh, items, undefined), null);
  assert.equal(warmWeights(fresh, items, from(network(3, 1, 8))), null);
  assert.equal(warmWeights(fresh, items, from(torn)), null);
});

const params = { ...SMALL_SASREC, epochs: 10, patience: 0 };
const fit = (options: Partial<FitOptions> = {}, changed = {}) =>
  sasrec.fit(circle(), { ...params, ...changed }, { seed: 7, ...options });
const { items } = circle().interactions;

test("a warm start begins where the earlier fit ended, takes a share of the epochs, and says so", async () => {
  const cold = await fit();
  const warm = await fit({ warmStart: from(cold.arrays, items), seed: 8 });
  assert.deepEqual([cold.report.epochs, warm.report.epochs], [10, 3]);
  assert.deepEqual([cold.report.warmStart, warm.report.warmStart], [undefined, "sasrec-earlier"]);
  assert.ok(warm.report.losses[0] < cold.report.losses[4], `${warm.report.losses[0]}`);
});

test("a warm start looks for no best epoch: the earlier version may have learned from the validation window", async () => {
  const cold = await fit();
  const messages: string[] = [];
  const { report } = await fit(
    { warmStart: from(cold.arrays, items), onProgress: ({ message }) => messages.push(message) },
    { patience: 2 },
  );
  assert.equal(report.epochs, 3);
  assert.ok(
    messages.every((message) => message.startsWith("refit epoch")),
    messages.join(),
  );
});

test("a version of another size is passed over: the fit is cold", async () => {
  const { arrays } = await fit({}, { embeddingSize: 8, epochs: 1 });
  assert.deepEqual(await fit({ warmStart: from(arrays, items) }), await fit());
});

test("a killed warm fit resumes and ends with the very arrays of an undisturbed one", async () => {
  const warmStart = from((await fit()).arrays, items);
  const undisturbed = await fit({ warmStart });
  const controller = new AbortController();
  let kept: Uint8Array | null = null;
  const checkpoint = {
    load: async () => kept,
    save: async (bytes: Uint8Array) => {
      kept = bytes;
      controller.abort();
    },
  };
  await assert.rejects(fit({ warmStart, checkpoint, signal: controller.signal }));
  let epochs = 0;
  const resumed = await fit({ warmStart, checkpoint, onProgress: () => epochs++ });
  assert.deepEqual(resumed.arrays, undisturbed.arrays);
  assert.equal(epochs, 2);
  assert.notDeepEqual((await fit({ checkpoint })).arrays, undisturbed.arrays, "a cold fit is another run");
});
