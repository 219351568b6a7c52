import assert from "node:assert/strict";
import { test } from "node:test";
import { mean, sampleVariance } from "../../../models/evaluation/moments.ts";

test("the mean and the sample variance of 2, 4, 4, 4, 5, 5, 7, 9 are 5 and 32/7", () => {
  const values = [2, 4, 4, 4, 5, 5, 7, 9];
  assert.equal(mean(values), 5);
  assert.equal(sampleVariance(values), 32 / 7);
  assert.equal(sampleVariance(Float64Array.of(-1, 1)), 2);
});

test("one value has no variance: a caller must say what it takes instead", () => {
  assert.throws(() => sampleVariance([3]), /expected two values or more, got 1/);
});
