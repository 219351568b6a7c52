import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultRecipe, RECIPES, recipeNamed, registerRecipe } from "../../models/phases.ts";
import { popularity } from "../../models/popularity/popularity.ts";

describe("the ladder", () => {
  it("takes a recipe until it is told to forget it", () => {
    const before = [...RECIPES];
    const forget = registerRecipe({ ...popularity, name: "visiting" });
    assert.equal(recipeNamed("visiting").phase, 1);
    assert.equal(defaultRecipe(1).name, "popularity");
    forget();
    forget();
    assert.deepEqual(RECIPES, before);
    assert.throws(() => recipeNamed("visiting"), /expected one of popularity/);
  });

  it("refuses a name that is taken, or kept for imported models", () => {
    assert.throws(() => registerRecipe(popularity), /expected a name that is free, got "popularity"/);
    assert.throws(
      () => registerRecipe({ ...popularity, name: "imported-mine" }),
      /expected a name that is free/,
    );
  });
});
