import assert from "node:assert/strict";
import { test } from "node:test";
import { learningRateShare } from "../../../models/neural/schedule.ts";

test("the learning rate rises to its peak early and falls to a small share at the end", () => {
  const shares = Array.from({ length: 101 }, (_, percent) => learningRateShare(percent / 100));
  assert.equal(Math.max(...shares), shares[8]);
  assert.equal(shares[8], 1);
  assert.ok(Math.abs(shares[4] - 0.5) < 1e-9);
  // Half way between 8 % and 100 % the cosine is half way between 1 and .05.
  assert.ok(Math.abs(shares[54] - 0.525) < 1e-9);
  assert.ok(Math.abs(shares[100] - 0.05) < 1e-9);
  assert.ok(shares.every((share) => share > 0));
});
