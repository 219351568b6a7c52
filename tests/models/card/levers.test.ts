import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { leverSettings, withLevers } from "../../../models/card/levers.ts";
import { RECIPES, recipeNamed } from "../../../models/phases.ts";

const als = recipeNamed("als");

describe("levers", () => {
  it("are on as the model has them, else as the recipe suggests", () => {
    const params = { ...als.defaults, recency: 33, sideWeight: 0 };
    const [history, , , side] = leverSettings(als, params, []);
    assert.deepEqual([history.used, history.off, history.on], [true, { recency: 0 }, { recency: 33 }]);
    assert.deepEqual([side.used, side.off, side.on], [false, { sideWeight: 0 }, { sideWeight: 3 }]);
  });

  it("include the search of all other parameters, when one was made", () => {
    const names = (settings: ReturnType<typeof leverSettings>) => settings.map(({ name }) => name);
    assert.ok(!names(leverSettings(als, als.defaults, [])).includes("search"));
    const trial = { seed: 1, seconds: 1, budget: 1 };
    const found = { ...als.defaults, reg: 0.05, recency: 7 };
    const trials = [
      { ...trial, params: als.defaults, score: 0.1 },
      { ...trial, params: found, score: 0.11 },
    ];
    const unused = leverSettings(als, als.defaults, trials).at(-1);
    assert.equal(unused?.name, "search");
    assert.equal(unused?.used, false);
    const { reg, unobservedWeight, embeddingSize } = als.defaults;
    assert.deepEqual(unused?.off, { reg, unobservedWeight, embeddingSize });
    assert.deepEqual(unused?.on, { reg: 0.05, unobservedWeight, embeddingSize });
    assert.equal(leverSettings(als, found, trials).at(-1)?.used, true);
  });

  it("are switched one by one, and leave every other parameter alone", () => {
    const settings = leverSettings(als, als.defaults, []);
    const one = withLevers(als.defaults, settings, ({ name }) => name === "genres and years");
    assert.deepEqual(one, { ...als.defaults, recency: 0, halfLifeDays: 0, ratingExponent: 0, sideWeight: 3 });
  });

  it("of a blend are its members', under their prefix", () => {
    const [first] = recipeNamed("slist-als").levers ?? [];
    assert.deepEqual([first.name, first.off], ["als: recent history", { "als.recency": 0 }]);
  });

  it("switch parameters that their recipe has", () => {
    for (const { name, levers, defaults } of RECIPES) {
      for (const { off, on } of levers ?? []) {
        assert.deepEqual(Object.keys(off), Object.keys(on), name);
        for (const param of Object.keys(off)) assert.ok(param in defaults, `${name}: ${param}`);
      }
    }
  });
});
