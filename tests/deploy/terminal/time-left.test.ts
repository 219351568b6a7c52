import assert from "node:assert/strict";
import { test } from "node:test";
import { timeLeft } from "../../../deploy/terminal/time-left.ts";

test("what is left is said in minutes once the beginning is over, and not at all when it is short", () => {
  assert.equal(timeLeft(0.001, 60_000), "");
  assert.equal(timeLeft(0.1, 60_000), " · about 9 min left");
  assert.equal(timeLeft(0.75, 75_000), " · less than a minute left");
  assert.equal(timeLeft(0.9, 60_000), "");
});
