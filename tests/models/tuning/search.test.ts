import assert from "node:assert/strict";
import { test } from "node:test";
import type { Trial } from "../../../models/artifact/manifest.ts";
import { seededRandom } from "../../../models/data/random.ts";
import type { Params, SearchSpace } from "../../../models/recipe.ts";
import { halvingRungs } from "../../../models/tuning/halving.ts";
import { nextRound, runSearch } from "../../../models/tuning/run-search.ts";
import {
  createSearch,
  type Search,
  type SearchOptions,
  type Suggestion,
} from "../../../models/tuning/search.ts";
import { randomPoint, toParams, toPoint } from "../../../models/tuning/space.ts";

const SPACE: SearchSpace = {
  reg: { kind: "log", low: 1e-4, high: 10 },
  depth: { kind: "linear", low: 1, high: 20, integer: true },
  loss: { kind: "choice", values: ["softmax", "bce", "mse"] },
};
const DEFAULTS: Params = { reg: 5, depth: 2, loss: "mse", fixed: "kept" };

/** Best (0) at reg 0.01, depth 12, softmax; the first two only work together. */
function quality({ reg, depth, loss }: Params): number {
  const a = Math.log10(Number(reg)) + 2;
  const b = (Number(depth) - 12) / 4;
  return -(a * a + b * b + 0.8 * a * b + (loss === "softmax" ? 0 : 1));
}

const options = (seed: number, trials = 40): SearchOptions => ({
  space: SPACE,
  defaults: DEFAULTS,
  trials,
  seed,
});
const trialOf = (suggestion: Suggestion): Trial => ({
  ...suggestion,
  score: quality(suggestion.params),
  seconds: 0,
});

function finish(search: Search): readonly Suggestion[] {
  const asked: Suggestion[] = [];
  for (let next = search.ask(); next !== null; next = search.ask()) {
    asked.push(next);
    search.tell(trialOf(next));
  }
  return asked;
}

test("the search comes closer to the best of a known function than random draws of the same number", () => {
  const seeds = Array.from({ length: 20 }, (_, seed) => seed);
  const searched = seeds.map((seed) => {
    const search = createSearch(options(seed));
    finish(search);
    return search.best()?.score ?? Number.NEGATIVE_INFINITY;
  });
  const drawn = seeds.map((seed) => {
    const random = seededRandom(1000 + seed);
    const scores = Array.from({ length: 40 }, () => quality(toParams(SPACE, randomPoint(SPACE, random))));
    return Math.max(...scores);
  });
  const wins = seeds.filter((seed) => searched[seed] > drawn[seed]).length;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.ok(wins >= 15, `${wins} of ${seeds.length} seeds`);
  assert.ok(mean(searched) > mean(drawn) / 2, `mean ${mean(searched)} against ${mean(drawn)} at random`);
});

test("a search goes on after any of its trials exactly where it was", () => {
  const whole = createSearch({ ...options(3), smallestBudget: 1 / 9 });
  const asked = finish(whole);
  for (let stop = 0; stop <= asked.length; stop++) {
    const resumed = createSearch({ ...options(3), smallestBudget: 1 / 9 });
    for (const trial of JSON.parse(JSON.stringify(whole.trials.slice(0, stop))) as Trial[])
      resumed.tell(trial);
    assert.deepEqual(resumed.ask(), asked[stop] ?? null);
  }
});

test("the defaults are tried first, and what is outside the space stays as it is", () => {
  const [first, ...others] = finish(createSearch(options(1)));
  assert.deepEqual(first.params, DEFAULTS);
  assert.equal(others.length, 39);
  assert.ok(others.every(({ params }) => params.fixed === "kept"));
});

test("every suggestion lies within the space", () => {
  for (const { params } of finish(createSearch(options(2, 100))).slice(1)) {
    assert.ok(Number(params.reg) >= 1e-4 && Number(params.reg) <= 10);
    assert.ok(Number.isInteger(params.depth) && Number(params.depth) >= 1 && Number(params.depth) <= 20);
    assert.ok(["softmax", "bce", "mse"].includes(String(params.loss)));
  }
});

test("suggestions asked without waiting differ from each other", () => {
  const search = createSearch(options(4));
  const asked = Array.from({ length: 20 }, () => JSON.stringify(search.ask()?.params));
  assert.equal(new Set(asked).size, 20);
});

test("an empty space is one trial, of the defaults", () => {
  const asked = finish(createSearch({ ...options(1), space: {} }));
  assert.deepEqual(
    asked.map(({ params }) => params),
    [DEFAULTS],
  );
});

test("rungs grow by eta up to the full budget", () => {
  assert.deepEqual(halvingRungs(1), [1]);
  assert.deepEqual(halvingRungs(0.25, 2), [0.25, 0.5, 1]);
  assert.deepEqual(halvingRungs(0.2, 2), [0.25, 0.5, 1]);
  assert.throws(() => halvingRungs(0), /smallest budget in \(0, 1\]/);
});

const halved = (seed: number, trials: number): SearchOptions => ({
  ...options(seed, trials),
  smallestBudget: 1 / 9,
});
const spentBy = (trials: readonly { readonly budget: number }[]): number =>
  trials.reduce((sum, { budget }) => sum + budget, 0);

test("halving gives the best third of each rung three times the budget, and hardly anyone else", () => {
  const search = createSearch(halved(5, 12));
  finish(search);
  const [low, middle, full] = halvingRungs(1 / 9);
  const at = (rung: number) => search.trials.filter(({ budget }) => budget === rung);
  assert.ok(at(low).length >= 12, `${at(low).length}`);
  for (const [below, above] of [
    [low, middle],
    [middle, full],
  ]) {
    const third = Math.floor(at(below).length / 3);
    const best = [...at(below)].sort((a, b) => b.score - a.score).slice(0, third);
    for (const { params } of best) assert.ok(at(above).some((trial) => trial.params === params));
    // A rung lifts as its results come in, so one that was early in the best third may be overtaken later.
    assert.ok(at(above).length < at(below).length, `${at(above).length} of ${at(below).length}`);
  }
  assert.equal(search.best()?.budget, full);
  assert.equal(search.best()?.score, Math.max(...search.trials.map(({ score }) => score)));
});

test("halving spends what it may, counted in trials of full length, and no more", () => {
  for (const trials of [1, 2, 6, 10, 20]) {
    const search = createSearch(halved(9, trials));
    const spent = spentBy(finish(search));
    assert.ok(spent <= trials + 1e-6, `${spent} of ${trials}`);
    assert.ok(spent > trials - 1, `${spent} of ${trials}`);
  }
});

test("halving gives the starting point the full budget, however badly it does", () => {
  const search = createSearch(halved(10, 10));
  for (let next = search.ask(); next !== null; next = search.ask()) {
    const isStart = next.params.reg === DEFAULTS.reg;
    search.tell({ ...trialOf(next), ...(isStart && { score: -1000 }) });
  }
  const budgets = search.trials
    .filter(({ params }) => params.reg === DEFAULTS.reg)
    .map(({ budget }) => budget);
  assert.deepEqual(budgets, halvingRungs(1 / 9));
});

test("halving ends on the best that is left, when no new configuration can be paid", () => {
  const search = createSearch({ ...options(11, 4), smallestBudget: 1 / 3, eta: 3 });
  finish(search);
  const last = search.trials[search.trials.length - 1];
  assert.equal(last.budget, 1);
  const lifted = new Set(search.trials.filter(({ budget }) => budget === 1).map(({ params }) => params));
  const left = search.trials.filter(({ params }) => !lifted.has(params));
  assert.ok(left.every(({ score }) => score <= last.score));
});

test("a failed trial is kept as the worst: never lifted, never the best, and its neighbours are avoided", () => {
  const fails = ({ params }: Suggestion): boolean => params.loss === "softmax";
  const search = createSearch({ ...options(12, 20), smallestBudget: 1 / 3 });
  for (let next = search.ask(); next !== null; next = search.ask()) {
    const failed = { ...next, score: 0, seconds: 0, failure: "no number" };
    search.tell(fails(next) ? failed : trialOf(next));
  }
  const failed = search.trials.filter(({ failure }) => failure !== undefined);
  assert.ok(failed.length > 0, "some failed");
  assert.ok(failed.every(({ budget }) => budget < 1));
  assert.equal(search.best()?.failure, undefined);
  const later = search.trials.slice(search.trials.length / 2);
  assert.ok(later.filter(({ failure }) => failure !== undefined).length < later.length / 4);
});

test("a score that is not finite is refused", () => {
  const search = createSearch(options(1));
  const suggestion = search.ask();
  assert.ok(suggestion !== null);
  assert.throws(
    () => search.tell({ ...trialOf(suggestion), score: Number.NaN }),
    /finite score.*failed trial with its failure/,
  );
});

test("a run asks round by round, reports every trial and returns them all", async () => {
  const reported: Trial[] = [];
  const trials = await runSearch(
    options(6, 24),
    async ({ params }) => ({ score: quality(params), seconds: 1 }),
    { roundSize: 3, onTrial: (trial) => reported.push(trial) },
  );
  assert.equal(trials.length, 24);
  assert.deepEqual(reported, trials);
});

test("rounds that are told in the order they were asked go the same way from wherever they are taken up", async () => {
  const size = 4;
  const evaluate = async ({ params }: Suggestion) => ({ score: quality(params), seconds: 0 });
  for (const smallestBudget of [1, 1 / 3]) {
    const settings = { ...options(8, 18), smallestBudget };
    const whole = await runSearch(settings, evaluate, { roundSize: size });
    const search = createSearch(settings);
    for (let told = 0; told < whole.length; ) {
      const resumed = createSearch(settings);
      for (const trial of JSON.parse(JSON.stringify(whole.slice(0, told))) as Trial[]) resumed.tell(trial);
      const round = nextRound(search, size);
      assert.deepEqual(nextRound(resumed, size), round);
      for (const _ of round) search.tell(whole[told++]);
    }
  }
});

test("an evaluation that throws ends the run with its error, one that fails does not", async () => {
  const throwing = async (): Promise<never> => {
    throw new Error("disk full");
  };
  await assert.rejects(runSearch(options(1), throwing), /disk full/);
  const failing = async () => ({ failure: "no number", seconds: 1 });
  const trials = await runSearch(options(1, 6), failing);
  assert.deepEqual(
    trials.map(({ score, failure }) => [score, failure]),
    Array.from({ length: 6 }, () => [0, "no number"]),
  );
});

test("points and parameters are two ways to write the same thing", () => {
  const params = { reg: 0.1, depth: 7, loss: "bce" };
  assert.deepEqual(toParams(SPACE, toPoint(SPACE, params)), params);
  assert.throws(
    () => toPoint(SPACE, { ...params, loss: "hinge" }),
    /loss: expected one of softmax, bce, mse; got hinge/,
  );
});
