import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { Value } from "typebox/value";
import { parseModel, serializeModel, sha256Hex } from "../../models/artifact/artifact.ts";
import { itemId } from "../../models/data/ids.ts";
import { seededRandom, shuffle } from "../../models/data/random.ts";
import { importFactors } from "../../models/exchange/import-factors.ts";
import { importedRecipe } from "../../models/factorization/imported.ts";
import { type FittedModel, fitModel, type Model, recommenderOf } from "../../models/model.ts";
import { defaultsUnder } from "../../models/params.ts";
import { PHASES, RECIPES, recipeNamed } from "../../models/phases.ts";
import type { NamedArrays, Params, Recipe } from "../../models/recipe.ts";
import type { Query, Recommender } from "../../models/recommender.ts";
import { historyOf, trainingSetOf } from "./support/toy-data.ts";

/** What every recipe of the ladder promises, now and later: a recipe is covered by being registered. */

/** Parameters that make a slow recipe quick on a toy; a recipe without an entry runs on its defaults. */
const QUICK: Readonly<Record<string, Params>> = {};

const SEED = 7;
const ITEMS_A_GROUP = 8;
const USERS_A_GROUP = 24;
const ITEMS_A_USER = 6;

/** Two communities that share nothing: what belongs in a list is plain to see. */
function checkerboard() {
  const random = seededRandom(1);
  const rows: Record<string, string[]> = {};
  for (let user = 0; user < USERS_A_GROUP; user++) {
    for (const group of ["red", "blue"]) {
      const order = shuffle(
        Uint32Array.from({ length: ITEMS_A_GROUP }, (_, item) => item),
        random,
      );
      rows[`${group}-user-${user}`] = Array.from(
        order.subarray(0, ITEMS_A_USER),
        (item) => `${group}-${item}`,
      );
    }
  }
  return trainingSetOf(rows);
}

const train = checkerboard();
const RED_HISTORY = historyOf("red-3", "red-0", "red-5");

function ids(recommender: Recommender, query: Partial<Query>): string[] {
  return recommender.recommend({ history: [], k: 5, ...query }).items.map((item) => item.itemId);
}

function poisoned(arrays: NamedArrays): NamedArrays {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, { shape, data }]) => [
      name,
      { shape, data: data instanceof Float32Array ? new Float32Array(data.length).fill(Number.NaN) : data },
    ]),
  );
}

/** Factors that another training made of the same checkerboard: held to the same promises. */
const imported = importedRecipe("imported-elsewhere");

async function fitted(recipe: Recipe, threads = 1): Promise<FittedModel> {
  if (recipe.name !== imported.name) {
    return fitModel(recipe.name, train, QUICK[recipe.name] ?? {}, { seed: SEED, threads });
  }
  const { model, report } = await fitModel("als", train, {}, { seed: SEED, threads });
  const file = {
    tensors: new Map([["itemFactors", model.arrays.itemFactors]]),
    metadata: new Map([["encoder", "fold-in"]]),
  };
  const foreign = { file, source: "0".repeat(64), itemIds: model.items.ids, recipe: recipe.name };
  return { model: importFactors(foreign, () => true, train), report };
}

for (const recipe of [...RECIPES, imported]) {
  describe(recipe.name, () => {
    let model: Model;
    let recommender: Recommender;

    before(async () => {
      ({ model } = await fitted(recipe));
      recommender = recommenderOf(model);
    });

    test("stands on a rung of the ladder under a name of its own", () => {
      assert.ok(PHASES.some(({ phase }) => phase === recipe.phase));
      assert.ok(RECIPES.filter(({ name }) => name === recipe.name).length <= 1);
      assert.equal(recipeNamed(recipe.name).name, recipe.name);
      assert.match(recipe.name, /^[a-z0-9][a-z0-9-]{0,40}$/);
    });

    test("its schema accepts its defaults and both ends of every searched range, and no stranger", () => {
      assert.ok(Value.Check(recipe.schema, recipe.defaults));
      for (const order of ["time", "user", "none"] as const) {
        assert.ok(Value.Check(recipe.schema, { ...recipe.defaults, ...defaultsUnder(order, recipe) }), order);
      }
      assert.ok(!Value.Check(recipe.schema, { ...recipe.defaults, stranger: 1 }));
      for (const [name, dimension] of Object.entries(recipe.space)) {
        const values = dimension.kind === "choice" ? dimension.values : [dimension.low, dimension.high];
        for (const value of values) {
          assert.ok(Value.Check(recipe.schema, { ...recipe.defaults, [name]: value }), `${name} = ${value}`);
        }
      }
    });

    test("recommends of the user's own community on the checkerboard", { skip: recipe.phase === 1 }, () => {
      const { items, source } = recommender.recommend({ history: RED_HISTORY, k: 5 });
      const expected = ["red-1", "red-2", "red-4", "red-6", "red-7"];
      assert.deepEqual(items.map((item) => item.itemId as string).sort(), expected);
      assert.equal(source, "model");
    });

    test("gives distinct items, best first, none of them seen or excluded", () => {
      const exclude = new Set([itemId("red-1"), itemId("blue-4")]);
      const filter = { has: (item: string) => item === "red-1" || item === "blue-4" };
      const { items } = recommender.recommend({ history: RED_HISTORY, exclude, k: 8 });
      const listed = items.map((item) => item.itemId as string);
      assert.equal(new Set(listed).size, 8);
      for (const gone of ["red-3", "red-0", "red-5", "red-1", "blue-4"])
        assert.ok(!listed.includes(gone), gone);
      assert.ok(items.every(({ score }, rank) => rank === 0 || score <= items[rank - 1].score));
      assert.deepEqual(ids(recommender, { history: RED_HISTORY, exclude: filter, k: 8 }), listed);
    });

    test("never lists what the user is against or nobody may be shown, and takes no notice of mere exposure", () => {
      const of = (item: string, weight: number) => ({ ...RED_HISTORY[0], itemId: itemId(item), weight });
      const against = ids(recommender, { history: [...RED_HISTORY, of("red-1", -1)], k: 1000 });
      assert.equal(against.length, 2 * ITEMS_A_GROUP - RED_HISTORY.length - 1);
      assert.ok(!against.includes("red-1"));
      const hidden = ids(recommender, { history: RED_HISTORY, hidden: new Set([itemId("red-2")]), k: 1000 });
      assert.ok(!hidden.includes("red-2") && hidden.includes("red-1"));
      const shown = { history: [...RED_HISTORY, of("red-4", 0)], k: 1000 };
      assert.deepEqual(ids(recommender, shown), ids(recommender, { history: RED_HISTORY, k: 1000 }));
    });

    test("shows the whole catalogue but the history when k is larger", () => {
      const listed = ids(recommender, { history: RED_HISTORY, k: 1000 });
      assert.equal(listed.length, 2 * ITEMS_A_GROUP - RED_HISTORY.length);
      assert.equal(new Set(listed).size, listed.length);
    });

    test("answers an empty history with what is popular", () => {
      const { items, source } = recommender.recommend({ history: [], k: 5 });
      assert.equal(source, "popular");
      assert.equal(items.length, 5);
    });

    test("hears nothing in items it does not know", () => {
      const strangers = historyOf("green-1", "green-2");
      assert.equal(recommender.recommend({ history: strangers, k: 5 }).source, "popular");
      assert.deepEqual(ids(recommender, { history: strangers }), ids(recommender, {}));
      const mixed = [...strangers, ...RED_HISTORY];
      assert.deepEqual(ids(recommender, { history: mixed }), ids(recommender, { history: RED_HISTORY }));
    });

    test("recommends candidates only, and fewer than k when there are no more", () => {
      const candidates = new Set(["red-3", "red-6", "blue-0", "green-1"].map(itemId));
      const listed = ids(recommender, { history: RED_HISTORY, candidates });
      assert.deepEqual([...listed].sort(), ["blue-0", "red-6"]);
    });

    test("gives the same answer to the same query, whatever was asked between", () => {
      const first = recommender.recommend({ history: RED_HISTORY, k: 9 });
      recommender.recommend({ history: historyOf("blue-1", "blue-2"), k: 3 });
      assert.deepEqual(recommender.recommend({ history: RED_HISTORY, k: 9 }), first);
    });

    test("fits to the same bytes from the same data and seed, on three threads as on one", async () => {
      const again = await fitted(recipe, 3);
      assert.equal(sha256Hex(serializeModel(again.model)), sha256Hex(serializeModel(model)));
    });

    test("gives identical lists after an artifact round trip", () => {
      const revived = recommenderOf(parseModel(serializeModel(model)));
      for (const history of [[], RED_HISTORY, historyOf("blue-7"), historyOf("red-1", "blue-1")]) {
        assert.deepEqual(revived.recommend({ history, k: 16 }), recommender.recommend({ history, k: 16 }));
      }
    });

    test("refuses to serve or to write scores that are not finite", () => {
      const broken = { ...model, arrays: poisoned(model.arrays) };
      assert.throws(() => recommenderOf(broken).recommend({ history: RED_HISTORY, k: 5 }), Error);
      assert.throws(() => serializeModel(broken), /expected finite values/);
    });

    test("refuses arrays that lack one of its own", () => {
      for (const missing of Object.keys(model.arrays)) {
        const { [missing]: _, ...arrays } = model.arrays;
        assert.throws(() => recommenderOf({ ...model, arrays }), Error, missing);
      }
    });
  });
}
