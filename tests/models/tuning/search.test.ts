import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../../models/data/random.ts";
import type { Trial } from "../../../models/manifest.ts";
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

test("halving gives the best third of each rung three times the budget, and no one else", () => {
  const search = createSearch({ ...options(5, 27), smallestBudget: 1 / 9 });
  const asked = finish(search);
  const [low, middle, full] = halvingRungs(1 / 9);
  assert.deepEqual(
    [low, middle, full].map((rung) => asked.filter(({ budget }) => budget === rung).length >= 1),
    [true, true, true],
  );
  const at = (rung: number) => search.trials.filter(({ budget }) => budget === rung);
  assert.equal(at(low).length, 27);
  // A rung lifts as its results come in, so one that was early in the best third may be overtaken later.
  assert.ok(at(middle).length >= 9 && at(middle).length <= 14, `${at(middle).length}`);
  const best = [...at(low)].sort((a, b) => b.score - a.score).slice(0, 9);
  for (const { params } of best) assert.ok(at(middle).some((trial) => trial.params === params));
  assert.equal(search.best()?.budget, full);
  assert.equal(search.best()?.score, Math.max(...search.trials.map(({ score }) => score)));
});

test("a score that is not finite is refused", () => {
  const search = createSearch(options(1));
  const suggestion = search.ask();
  assert.ok(suggestion !== null);
  assert.throws(
    () => search.tell({ ...trialOf(suggestion), score: Number.NaN }),
    /finite score.*failed trial as 0/,
  );
});

test("a run asks round by round, reports every trial and returns the best", async () => {
  const reported: Trial[] = [];
  const { best, trials } = await runSearch(
    options(6, 24),
    async ({ params }) => ({ score: quality(params), seconds: 1 }),
    { roundSize: 3, onTrial: (trial) => reported.push(trial) },
  );
  assert.equal(trials.length, 24);
  assert.deepEqual(reported, trials);
  assert.equal(best.score, Math.max(...trials.map(({ score }) => score)));
});

test("rounds that are told in the order they were asked go the same way from wherever they are taken up", async () => {
  const size = 4;
  const evaluate = async ({ params }: Suggestion) => ({ score: quality(params), seconds: 0 });
  const whole = await runSearch(options(8, 18), evaluate, { roundSize: size });
  for (let told = 0; told < whole.trials.length; told += size) {
    const search = createSearch(options(8, 18));
    for (const trial of whole.trials.slice(0, told)) search.tell(trial);
    const expected = whole.trials.slice(told, told + size).map(({ params }) => params);
    assert.deepEqual(
      nextRound(search, size).map(({ params }) => params),
      expected,
    );
  }
});

test("a run continues from earlier trials without evaluating them again", async () => {
  const evaluate = async ({ params }: Suggestion) => ({ score: quality(params), seconds: 0 });
  const whole = await runSearch(options(7, 12), evaluate);
  let evaluated = 0;
  const resumed = await runSearch(
    options(7, 12),
    (suggestion) => {
      evaluated++;
      return evaluate(suggestion);
    },
    { earlier: whole.trials.slice(0, 8) },
  );
  assert.equal(evaluated, 4);
  assert.deepEqual(resumed.trials, whole.trials);
});

test("an evaluation that throws ends the run with its error", async () => {
  const failing = async (): Promise<never> => {
    throw new Error("out of memory");
  };
  await assert.rejects(runSearch(options(1), failing), /out of memory/);
});

test("points and parameters are two ways to write the same thing", () => {
  const params = { reg: 0.1, depth: 7, loss: "bce" };
  assert.deepEqual(toParams(SPACE, toPoint(SPACE, params)), params);
  assert.throws(
    () => toPoint(SPACE, { ...params, loss: "hinge" }),
    /loss: expected one of softmax, bce, mse; got hinge/,
  );
});
