import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { splitByTime } from "../../../jobs/data/training-data.ts";
import { searchInProcess } from "../../../jobs/training/search-in-process.ts";
import { MS_PER_DAY } from "../../../models/data/day.ts";
import { seededRandom } from "../../../models/data/random.ts";
import { fitModel, recommenderOf } from "../../../models/model.ts";
import { recipeNamed } from "../../../models/phases.ts";
import { counts, decayedCounts } from "../../../models/popularity/counts.ts";
import { logOf } from "../../support/interaction-logs.ts";
import { trainingSetOf } from "../support/toy-data.ts";

describe("popularity", () => {
  it("counts each user's item once", () => {
    const train = trainingSetOf({ a: ["x", "y", "x"], b: ["x"], c: ["z", "x"] });
    const { ids } = train.interactions.items;
    assert.deepEqual(
      new Map(ids.map((id, item) => [id as string, counts(train)[item]])),
      new Map([
        ["x", 3],
        ["z", 1],
        ["y", 1],
      ]),
    );
  });

  it("halves what is one half-life old, back from the last training event", () => {
    const train = trainingSetOf({ a: ["x"], b: ["y"] });
    const day = { ...train.interactions, timestamps: Float64Array.of(0, 10 * MS_PER_DAY) };
    const lately = decayedCounts({ ...train, interactions: day, through: 10 * MS_PER_DAY }, 5);
    assert.deepEqual([...lately], [0.25, 1]);
  });

  it("shows everybody the same, less what each has seen", async () => {
    const train = trainingSetOf({ a: ["x", "y"], b: ["x", "y"], c: ["x", "z"] });
    const { model } = await fitModel("popularity", train, {}, { seed: 1 });
    const listFor = (history: string[]) =>
      recommenderOf(model)
        .recommend({
          history: history.map((itemId, at) => ({ itemId: itemId as never, timestamp: at, weight: 1 })),
          k: 9,
        })
        .items.map(({ itemId, score }) => `${itemId} ${score}`);
    assert.deepEqual(listFor(["z"]), ["x 3", "y 2"]);
    assert.deepEqual(listFor(["x"]), ["y 2", "z 1"]);
  });
});

/** Every fortnight has a hit of its own, which half of all choices go to; the other half are spread evenly. */
function fashions() {
  const random = seededRandom(2);
  const events = Array.from({ length: 12_000 }, (_, event) => {
    const day = (event / 12_000) * 360;
    const hit = random.next() < 0.5;
    const item = hit ? `hit-${Math.floor(day / 14)}-${random.integer(3)}` : `other-${random.integer(300)}`;
    return { user: `u${random.integer(400)}`, item, at: day * MS_PER_DAY };
  });
  return { log: logOf(events), catalogue: new Map() };
}

it("tuning finds the half-life that the validation window asks for, without a look at the holdout", async () => {
  const recipe = recipeNamed("popular-lately");
  const { tuning } = splitByTime(fashions(), { holdoutShare: 0.2, validationShare: 0.1, minimumUsers: 1 });
  const { params, trials } = await searchInProcess({
    recipe,
    base: recipe.defaults,
    space: recipe.space,
    split: tuning,
    trials: 10,
    seed: 1,
  });
  assert.deepEqual(trials[0].params, recipe.defaults);
  assert.ok(Number(params.halfLifeDays) < 60, `half-life ${params.halfLifeDays}`);
  const best = Math.max(...trials.map(({ score }) => score));
  assert.equal(trials.find((trial) => trial.params.halfLifeDays === params.halfLifeDays)?.score, best);
  assert.ok(best > trials[0].score);
});
