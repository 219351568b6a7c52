import assert from "node:assert/strict";
import { test } from "node:test";
import { fitModel, recommenderOf } from "../../models/model.ts";
import { historyOf, trainingSetOf } from "./support/toy-data.ts";

test("in models whose scores add up, a dislike counts against what it would recommend", async () => {
  const rows: Record<string, string[]> = {};
  for (let user = 0; user < 12; user++) {
    for (const group of ["red", "blue"]) {
      rows[`${group}-${user}`] = [0, 1, 2, 3].map((place) => `${group}-${(user + place) % 6}`);
    }
  }
  for (const recipe of ["item-knn", "ease"]) {
    const { model } = await fitModel(recipe, trainingSetOf(rows), {}, { seed: 1 });
    const recommender = recommenderOf(model);
    const top = (weight: number): string[] => {
      const [red, blue] = historyOf("red-0", "blue-0");
      const [last] = historyOf("blue-1");
      const history = [red, blue, { ...last, timestamp: blue.timestamp + 1, weight }];
      return recommender.recommend({ history, k: 4 }).items.map(({ itemId }) => itemId.slice(0, 3));
    };
    assert.deepEqual(top(1).slice(0, 2), ["blu", "blu"], recipe);
    assert.deepEqual(top(-1).slice(0, 2), ["red", "red"], recipe);
  }
});
