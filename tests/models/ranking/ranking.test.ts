import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../../models/data/random.ts";
import { firstNonFinite, topK } from "../../../models/ranking/ranking.ts";

test("the k best are those of a full sort, ties by index, for every k and filter", () => {
  const random = seededRandom(4);
  for (const items of [0, 1, 2, 7, 100]) {
    const scores = Float32Array.from({ length: items }, () => random.integer(6) - 3);
    for (const allowed of [() => true, (index: number) => index % 3 !== 0, () => false]) {
      const sorted = Array.from(scores.keys())
        .filter(allowed)
        .sort((a, b) => scores[b] - scores[a] || a - b);
      for (const k of [0, 1, 2, 5, 100, 200]) {
        assert.deepEqual(Array.from(topK(scores, k, allowed)), sorted.slice(0, k));
      }
    }
  }
});

test("the first score that is not finite is found wherever it stands", () => {
  for (const items of [1, 3, 4, 5, 9]) {
    const scores = Float32Array.from({ length: items }, (_, index) => (index % 2 === 0 ? -1e38 : 3e38));
    assert.equal(firstNonFinite(scores), -1);
    for (const broken of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (let at = 0; at < items; at++) {
        const spoilt = scores.slice();
        spoilt[at] = broken;
        spoilt[items - 1] = Number.NaN;
        assert.equal(firstNonFinite(spoilt), Math.min(at, items - 1));
      }
    }
  }
  assert.equal(firstNonFinite(new Float32Array(0)), -1);
});
