import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { itemId } from "../../../models/data/ids.ts";
import { seededRandom } from "../../../models/data/random.ts";
import { Vocabulary } from "../../../models/data/vocabulary.ts";
import { importedRecipe } from "../../../models/factorization/imported.ts";
import { type Model, recommenderOf } from "../../../models/model.ts";
import { initialWeights } from "../../../models/neural/weights.ts";
import { recipeNamed } from "../../../models/phases.ts";
import { topByBounds } from "../../../models/ranking/bounded-top-k.ts";
import { topK } from "../../../models/ranking/ranking.ts";
import type { NamedArrays, Recipe } from "../../../models/recipe.ts";
import { randomFactors } from "../kernels/ragged.ts";

describe("the best by bounds", () => {
  it("are the best by score, ties and all, however loose the bounds", () => {
    const random = seededRandom(1);
    for (let round = 0; round < 300; round++) {
      const items = random.integer(60);
      const scores = Float32Array.from({ length: items }, () => random.integer(8));
      const loose = [0, 0.5, 20][round % 3];
      const bounds = scores.map((score) => score + loose * random.next());
      const k = 1 + random.integer(70);
      const allowed = (item: number): boolean => item % 3 !== round % 3;
      const found = topByBounds(
        bounds,
        (chosen) => Float32Array.from(chosen, (item) => scores[item]),
        k,
        allowed,
      );
      const expected = topK(scores, k, allowed);
      assert.deepEqual(found.items, expected);
      assert.deepEqual(
        found.scores,
        Float32Array.from(expected, (item) => scores[item]),
      );
    }
  });

  it("cost few exact scores where bounds are close", () => {
    const scores = randomFactors(1, 20_000);
    const bounds = scores.map((score) => score + 0.01);
    let asked = 0;
    const scoresOf = (chosen: Uint32Array): Float32Array => {
      asked += chosen.length;
      return Float32Array.from(chosen, (item) => scores[item]);
    };
    topByBounds(bounds, scoresOf, 10, () => true);
    assert.ok(asked < 40, `asked for ${asked}`);
  });
});

/** As many as it takes for a catalogue to be ranked by bounds. */
const ITEMS = 20_000;
const D = 6;
const ids = Array.from({ length: ITEMS }, (_, item) => itemId(`i${item}`));
const vocabulary = new Vocabulary(ids);
const itemFactors = { shape: [ITEMS, D], data: randomFactors(ITEMS, D).map((value) => 0.1 * value) };
const gram = {
  shape: [D, D],
  data: Float32Array.from({ length: D * D }, (_, at) => (at % (D + 1) ? 0 : 1000)),
};
const bias = { shape: [ITEMS], data: randomFactors(1, ITEMS, 5) };
const shape = { items: ITEMS, embeddingSize: D, blocks: 1, maxLength: 10 };

const large: readonly [recipe: Recipe, params: object, arrays: NamedArrays][] = [
  [recipeNamed("als"), { embeddingSize: D }, { itemFactors, gram }],
  [importedRecipe("imported-large"), { encoder: "mean" }, { itemFactors, itemBias: bias }],
  [importedRecipe("imported-large"), { encoder: "fold-in" }, { itemFactors, gram, itemBias: bias }],
  [
    recipeNamed("sasrec"),
    { embeddingSize: D, blocks: 1, maxLength: 10 },
    { ...initialWeights(shape, seededRandom(2)), prior: bias },
  ],
];

describe("a large catalogue", () => {
  for (const [recipe, given, arrays] of large) {
    const params = { ...recipe.defaults, ...given };
    const model = (of: NamedArrays): Model => ({
      phase: recipe.phase,
      recipe: recipe.name,
      params,
      seed: 1,
      items: vocabulary,
      floor: new Float32Array(ITEMS),
      arrays: of,
    });

    it(`of ${recipe.name} ${JSON.stringify(given)} is ranked as if every item had been scored`, () => {
      const recommender = recommenderOf(model(arrays));
      const scorer = recipe.scorer(arrays, params);
      assert.ok(scorer.bounded !== undefined);
      const random = seededRandom(3);
      for (let round = 0; round < 20; round++) {
        const seen = Uint32Array.from({ length: 1 + random.integer(15) }, () => random.integer(ITEMS));
        const history = Array.from(seen, (item, at) => ({ itemId: ids[item], timestamp: at, weight: 1 }));
        const timestamps = Float64Array.from(seen, (_, at) => at);
        const encoded = { items: seen, weights: new Float32Array(seen.length).fill(1), timestamps };
        const exclude = new Set(ids.slice(0, 5000));
        const k = [1, 10, 100][round % 3];
        const scores = scorer.scoreItems(encoded);
        assert.ok(scores !== null);
        const expected = topK(scores, k, (item) => item >= 5000 && !seen.includes(item));
        const { items, source } = recommender.recommend({ history, exclude, k });
        assert.deepEqual(
          items,
          Array.from(expected, (item) => ({ itemId: ids[item], score: scores[item] })),
        );
        assert.equal(source, "model");
      }
      assert.equal(recommender.recommend({ history: [], k: 3 }).source, "popular");
    });

    it(`of ${recipe.name} ${JSON.stringify(given)} with a factor that is no number is refused`, () => {
      const name = recipe.name === "sasrec" ? "itemEmbedding" : "itemFactors";
      const data = (arrays[name].data as Float32Array).slice();
      data[D * 77] = Number.NaN;
      const recommender = recommenderOf(model({ ...arrays, [name]: { ...arrays[name], data } }));
      const history = [{ itemId: ids[3], timestamp: 0, weight: 1 }];
      assert.throws(
        () => recommender.recommend({ history, k: 5 }),
        /expected finite scores, got NaN for item index 77/,
      );
    });
  }
});
