import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../../models/data/random.ts";
import { timeOrder } from "../../../models/data/time-order.ts";

test("ordered times need no sorting", () => {
  assert.equal(timeOrder(Float64Array.of(1, 1, 2, 5)), null);
  assert.equal(timeOrder(new Float64Array(0)), null);
});

test("ties keep their places", () => {
  assert.deepEqual(timeOrder(Float64Array.of(5, 3, 5, 3, 1)), Uint32Array.of(4, 1, 3, 0, 2));
});

test("any times come out as a comparison sort puts them", () => {
  const random = seededRandom(1);
  for (const span of [3, 1_000, 86_400_000, 2e12]) {
    const times = Float64Array.from({ length: 5_000 }, () => random.integer(span));
    const expected = Array.from(times.keys()).sort((a, b) => times[a] - times[b] || a - b);
    assert.deepEqual(timeOrder(times), Uint32Array.from(expected));
  }
});
