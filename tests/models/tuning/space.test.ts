import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../../models/data/random.ts";
import { checkedParams } from "../../../models/params.ts";
import { RECIPES, recipeNamed } from "../../../models/phases.ts";
import { randomPoint, toParams, toPoint } from "../../../models/tuning/space.ts";

test("every recipe's space holds its defaults, or the 0 that switches a parameter off", () => {
  for (const { name, space, defaults } of RECIPES) {
    for (const [parameter, dimension] of Object.entries(space)) {
      const value = defaults[parameter];
      const inside =
        dimension.kind === "choice"
          ? dimension.values.includes(value as number)
          : Number(value) >= dimension.low && Number(value) <= dimension.high;
      assert.ok(inside || value === 0, `${name}: ${parameter} is ${value}`);
    }
    const point = toPoint(space, defaults);
    assert.ok(
      point.every((coordinate) => Number.isFinite(coordinate)),
      `${name}: the search can start at its defaults`,
    );
  }
});

test("every point of a recipe's space makes parameters that the recipe takes", () => {
  const random = seededRandom(3);
  for (const recipe of RECIPES) {
    for (let draw = 0; draw < 50; draw++) {
      checkedParams(recipe, toParams(recipe.space, randomPoint(recipe.space, random)));
    }
  }
});

test("what acts by its order of magnitude is searched by that: λ and α₀ of als, rates, half-lives, weights", () => {
  const kindOf = (recipe: string, parameter: string) => recipeNamed(recipe).space[parameter]?.kind;
  for (const parameter of ["reg", "unobservedWeight", "recency", "halfLifeDays", "sideWeight"]) {
    assert.equal(kindOf("als", parameter), "log", parameter);
  }
  assert.equal(kindOf("sasrec", "learningRate"), "log");
  assert.equal(kindOf("sasrec", "reg"), "log");
  assert.equal(kindOf("popular-lately", "halfLifeDays"), "log");
  assert.equal(kindOf("neural-blend", "als.weight"), "log");
});
