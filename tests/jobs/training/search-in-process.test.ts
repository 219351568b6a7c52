import assert from "node:assert/strict";
import { test } from "node:test";
import { searchProgress } from "../../../jobs/training/search-in-process.ts";

const trial = { params: {}, seed: 1, seconds: 1, budget: 1 };

test("progress of a search counts its trials, and names the best score", () => {
  assert.deepEqual(searchProgress([], 8), { fraction: 0, message: "trial 0 of 8" });
  const told = [
    { ...trial, score: 0.05 },
    { ...trial, score: 0.0712 },
  ];
  assert.deepEqual(searchProgress(told, 8), {
    fraction: 0.25,
    message: "trial 2 of 8, best nDCG@10 0.0712",
  });
});

test("progress of a halving search counts what its short trials spent", () => {
  const told = [
    { ...trial, budget: 0.25, score: 0.05 },
    { ...trial, budget: 0.25, score: 0, failure: "no number" },
  ];
  const within = { fraction: 0.5, message: "epoch 3 of 6" };
  assert.deepEqual(searchProgress(told, 8, within, 1), {
    fraction: 1 / 8,
    message: "trial 2, 0.5 of 8 full ones, 1 failed, best nDCG@10 0.0500, epoch 3 of 6",
  });
});
