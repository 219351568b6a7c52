import assert from "node:assert/strict";
import { test } from "node:test";
import { blendScorers, type WeightedScorer } from "../../../models/blend/blend-scorers.ts";
import { easeSlist } from "../../../models/blend/ease-slist.ts";
import { ease } from "../../../models/knn/ease.ts";
import type { EncodedHistory } from "../../../models/recipe.ts";
import { randomTrainingSet } from "../support/toy-data.ts";

const HISTORY: EncodedHistory = {
  items: Uint32Array.of(0),
  weights: Float32Array.of(1),
  timestamps: Float64Array.of(0),
};
const voice = (scores: readonly number[] | null, weight = 1, usesHistory = true): WeightedScorer => ({
  scorer: { scoreItems: () => scores && Float32Array.from(scores) },
  weight,
  usesHistory,
});
const silent = voice(null);

test("members add up as weighted z-scores", () => {
  // z of (0, 2, 4) is (−√1.5, 0, √1.5); z of (100, 0, 0) is (√2, −√½, −√½).
  const blended = blendScorers([voice([0, 2, 4]), voice([100, 0, 0], 2)]).scoreItems(HISTORY);
  const expected = [-Math.sqrt(1.5) + 2 * Math.SQRT2, -2 * Math.SQRT1_2, Math.sqrt(1.5) - 2 * Math.SQRT1_2];
  assert.ok(blended !== null);
  for (const [item, score] of expected.entries()) assert.ok(Math.abs(blended[item] - score) < 1e-5);
});

test("a silent member is left out, and a blend of silent members is silent", () => {
  const alone = blendScorers([voice([1, 2, 3])]).scoreItems(HISTORY);
  assert.deepEqual(blendScorers([silent, voice([1, 2, 3])]).scoreItems(HISTORY), alone);
  assert.equal(blendScorers([silent, silent]).scoreItems(HISTORY), null);
});

test("a member that does not heed the history never speaks alone", () => {
  const fashion = voice([3, 2, 1], 1, false);
  assert.equal(blendScorers([silent, fashion]).scoreItems(HISTORY), null);
  assert.ok(
    blendScorers([voice([1, 2, 3]), fashion])
      .scoreItems(HISTORY)
      ?.every((score) => Math.abs(score) < 1e-6),
  );
});

test("a member whose scores are all equal adds nothing", () => {
  const blended = blendScorers([voice([5, 5, 5]), voice([1, 2, 3])]).scoreItems(HISTORY);
  assert.deepEqual(blended, blendScorers([voice([1, 2, 3])]).scoreItems(HISTORY));
});

test("a member's parameters, search space and arrays are found under its name", async () => {
  assert.equal(easeSlist.phase, 2);
  assert.equal(easeSlist.defaults["ease.recency"], ease.defaults.recency);
  assert.deepEqual(easeSlist.space["ease.reg"], ease.space.reg);
  const train = randomTrainingSet(4, 20, 10, 0.4);
  const { arrays } = await easeSlist.fit(train, easeSlist.defaults, { seed: 1 });
  const alone = await ease.fit(train, ease.defaults, { seed: 1 });
  assert.deepEqual(arrays["ease.values"], alone.arrays.values);
  assert.ok("slist.values" in arrays);
});
