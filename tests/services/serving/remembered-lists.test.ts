import assert from "node:assert/strict";
import { test } from "node:test";
import { trainingSet } from "../../../models/data/interaction-matrix.ts";
import { seededRandom } from "../../../models/data/random.ts";
import { syntheticData } from "../../../models/data/synthetic.ts";
import { fitModel, recommenderOf } from "../../../models/model.ts";
import type { Query, Recommender } from "../../../models/recommender.ts";
import { rememberingLists } from "../../../services/serving/remembered-lists.ts";

const { log, catalogue } = syntheticData({ seed: 1, users: 120, items: 200, events: 4_000 });
const fit = async (recipe: string) =>
  (await fitModel(recipe, trainingSet(log, catalogue), {}, { seed: 1 })).model;

/** A recommender that counts how often it is asked. */
function counted(recommender: Recommender): { recommender: Recommender; asked: () => number } {
  let asked = 0;
  const recommend = (query: Query) => {
    asked++;
    return recommender.recommend(query);
  };
  const { phase, recipe } = recommender;
  return { recommender: { phase, recipe, recommend }, asked: () => asked };
}

for (const recipe of ["popular-lately", "item-knn", "als"]) {
  test(`${recipe}: remembered lists are those of the model, whatever is left out, hidden or filtered`, async () => {
    const model = await fit(recipe);
    const plain = recommenderOf(model);
    const { recommender, asked } = counted(plain);
    const remembering = rememberingLists(recommender);
    const random = seededRandom(3);
    const some = (count: number) =>
      new Set(Array.from({ length: count }, () => model.items.idAt(random.integer(model.items.size))));
    const filters = [undefined, some(80), some(30)];
    const hiddens = [undefined, some(20)];
    const histories = Array.from({ length: 6 }, (_, length) =>
      [...some(3 * length)].map((item, event) => ({ itemId: item, timestamp: event, weight: 1 })),
    );
    const asks = 1200;
    for (let ask = 0; ask < asks; ask++) {
      const history = histories[random.integer(histories.length)];
      const query = {
        history,
        revision: history,
        exclude: random.next() < 0.5 ? some(8) : undefined,
        // It changes seldom, as where an operator hides an item.
        hidden: hiddens[ask < asks / 2 ? 0 : 1],
        candidates: filters[random.integer(filters.length)],
        k: 1 + random.integer(60),
      };
      assert.deepEqual(remembering.recommend(query), plain.recommend({ ...query, revision: undefined }));
    }
    assert.ok(asked() < asks * 0.7, `${asked()} of ${asks} lists were ranked anew`);
  });
}

test("another object is another history, and the same without a revision is never remembered", async () => {
  const { recommender, asked } = counted(recommenderOf(await fit("als")));
  const remembering = rememberingLists(recommender);
  const [first, second] = log.items.ids;
  const history = [{ itemId: first, timestamp: 1, weight: 1 }];
  for (let ask = 0; ask < 5; ask++) remembering.recommend({ history, k: 5 });
  assert.equal(asked(), 5);
  for (let ask = 0; ask < 5; ask++) remembering.recommend({ history, revision: history, k: 5 });
  assert.equal(asked(), 7, "at first as it is asked for, then once deeper");
  const longer = [...history, { itemId: second, timestamp: 2, weight: 1 }];
  const list = remembering.recommend({ history: longer, revision: longer, k: 5 });
  assert.ok(list.items.every((item) => item.itemId !== second));
});
