import assert from "node:assert/strict";
import { test } from "node:test";
import { RECIPES, recipeNamed } from "../../../models/phases.ts";
import { smallestBudget, withBudget } from "../../../models/tuning/budget.ts";

test("every recipe that says what its budget is names whole numbers among its own parameters", () => {
  for (const { name, budget = [], defaults, space } of RECIPES) {
    for (const parameter of budget) {
      assert.ok(Number.isInteger(defaults[parameter]), `${name}: ${parameter}`);
      assert.ok(!(parameter in space), `${name}: a search must not undo what it is measured by`);
    }
  }
});

test("a share of the budget is that share of the epochs, at least one, of every member of a blend", () => {
  const als = recipeNamed("als");
  assert.equal(withBudget(als, { ...als.defaults, epochs: 10 }, 1 / 3).epochs, 3);
  assert.equal(withBudget(als, { ...als.defaults, epochs: 2 }, 1 / 9).epochs, 1);
  assert.deepEqual(withBudget(als, als.defaults, 1), als.defaults);
  const blend = recipeNamed("neural-blend");
  const { "als.epochs": ofAls, "sasrec.epochs": ofSasrec } = withBudget(blend, blend.defaults, 0.5);
  assert.deepEqual([ofAls, ofSasrec], [5, 10]);
});

test("what has no epochs, or one, or too few trials for a best third, is not halved", () => {
  const als = recipeNamed("als");
  const knn = recipeNamed("item-knn");
  assert.ok(smallestBudget(als, als.defaults, 20) < 1);
  assert.equal(smallestBudget(als, { ...als.defaults, epochs: 1 }, 20), 1);
  assert.equal(smallestBudget(als, als.defaults, 4), 1);
  assert.equal(smallestBudget(knn, knn.defaults, 20), 1);
});
