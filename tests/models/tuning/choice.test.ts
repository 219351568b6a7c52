import assert from "node:assert/strict";
import { test } from "node:test";
import type { Trial } from "../../../models/artifact/manifest.ts";
import { bestTrial } from "../../../models/tuning/best-trial.ts";
import { choose } from "../../../models/tuning/choice.ts";

const trial = (reg: number, score: number, more: Partial<Trial> = {}): Trial => ({
  params: { reg },
  seed: 1,
  score,
  seconds: 1,
  budget: 1,
  ...more,
});
/** Four users under each trial: the mean is the trial's score, the spread is as it is here. */
const users = (offsets: readonly number[]) => (of: Trial) =>
  offsets.map((offset) => of.score + offset * of.score);

test("the best trial replaces the start when it leads by more than one standard error", async () => {
  const start = trial(1, 0.1);
  const best = trial(2, 0.2);
  const [taken, choice] = await choose([start, best, trial(3, 0.15)], users([-0.1, 0.1, 0, 0]));
  assert.equal(taken, best);
  assert.equal(choice.took, "best");
  // Differences .1 · (1 ± .1): mean .1, s = .1 · √(.02/3), over √4.
  assert.ok(Math.abs((choice.lead?.mean ?? 0) - 0.1) < 1e-12);
  assert.ok(Math.abs((choice.lead?.standardError ?? 0) - (0.1 * Math.sqrt(0.02 / 3)) / 2) < 1e-12);
  assert.match(choice.why, /leads the starting parameters by \+0\.1000 \(.*0\.0041 paired over 4 users\)/);
});

test("the start stays when the best leads by no more than one standard error, and it is said why", async () => {
  const start = trial(1, 0.1);
  const [taken, choice] = await choose([start, trial(2, 0.2)], (of) =>
    of === start ? [0.4, 0, 0, 0] : [0, 0.8, 0, 0],
  );
  assert.equal(taken, start);
  assert.equal(choice.took, "start");
  assert.match(
    choice.why,
    /by \+0\.1000 only, no more than one standard error .* so the starting parameters stay/,
  );
});

test("the start stays when nothing did better, and when too few users can be paired", async () => {
  const start = trial(1, 0.3);
  const [same, none] = await choose([start, trial(2, 0.2)], () => []);
  assert.equal(same, start);
  assert.match(none.why, /No trial did better/);
  const [kept, few] = await choose([start, trial(2, 0.4)], () => [1]);
  assert.equal(kept, start);
  assert.equal(few.lead, null);
  assert.match(few.why, /too few users/);
});

test("trials of the largest budget alone are compared, the start at that budget too", async () => {
  const third = { budget: 1 / 3 };
  const full = trial(1, 0.1);
  const trials = [trial(1, 0.5, third), trial(2, 0.9, third), full, trial(2, 0.2)];
  assert.equal(bestTrial(trials), trials[3]);
  const [taken, { lead }] = await choose(trials, users([0, 0, 0]));
  assert.equal(taken, trials[3]);
  assert.ok(Math.abs((lead?.mean ?? 0) - 0.1) < 1e-12);
});

test("a start that failed gives way to the best of the others, and a search that all failed says so", async () => {
  const failed = trial(1, 0, { failure: "no number" });
  const [taken, choice] = await choose([failed, trial(2, 0.2)], () => []);
  assert.equal(taken.params.reg, 2);
  assert.match(choice.why, /no score to compare with: no number/);
  assert.equal(bestTrial([failed]), null);
  await assert.rejects(
    choose([failed, failed], () => []),
    /all 2 failed, the first with: no number/,
  );
});
