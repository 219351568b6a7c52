import assert from "node:assert/strict";
import { it } from "node:test";
import { seededRandom } from "../../../models/data/random.ts";
import {
  bootstrapMean,
  bootstrapMeans,
  bootstrapRatio,
  quantile,
} from "../../../models/evaluation/bootstrap.ts";

it("interpolates quantiles between neighbours", () => {
  assert.equal(quantile([1, 2, 3, 4], 0.5), 2.5);
  assert.equal(quantile([1, 2, 3, 4], 0), 1);
  assert.equal(quantile([1, 2, 3, 4], 1), 4);
  assert.equal(quantile([-Infinity, 2, Infinity], 0.5), 2);
});

it("gives the same interval for the same seed and another for another", () => {
  const values = [0, 0.1, 0.4, 0.2, 0.9, 0, 0];
  assert.deepEqual(bootstrapMean(values, { seed: 3 }), bootstrapMean(values, { seed: 3 }));
  assert.notDeepEqual(bootstrapMean(values, { seed: 3 }), bootstrapMean(values, { seed: 4 }));
});

it("comes close to the normal interval for many users", () => {
  const random = seededRandom(1);
  const values = Array.from({ length: 4000 }, () => 0.3 + 0.1 * random.normal());
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const { low, high } = bootstrapMean(values, { seed: 2, resamples: 4000 });
  const half = (1.96 * 0.1) / Math.sqrt(4000);
  assert.ok(Math.abs(low - (mean - half)) < 0.1 * half);
  assert.ok(Math.abs(high - (mean + half)) < 0.1 * half);
});

it("covers the true mean about 95 times in a hundred", () => {
  const random = seededRandom(9);
  let covered = 0;
  for (let round = 0; round < 400; round++) {
    const values = Array.from({ length: 80 }, () => (random.next() < 0.3 ? random.next() : 0));
    const { low, high } = bootstrapMean(values, { seed: round, resamples: 300 });
    if (low <= 0.15 && 0.15 <= high) covered++;
  }
  assert.ok(covered >= 364 && covered <= 394, `covered ${covered} of 400`);
});

it("keeps the pairs of a ratio together", () => {
  const denominators = [1, 5, 2, 8, 3];
  const { mean, low, high } = bootstrapRatio(
    denominators.map((one) => 2 * one),
    denominators,
    { seed: 1 },
  );
  assert.deepEqual([mean, low, high], [2, 2, 2]);
});

it("draws the same users for several figures as for each of them alone", () => {
  const figures = [
    [0, 0.1, 0.4, 0.2, 0.9],
    [3, 1, 4, 1, 5],
  ];
  const options = { seed: 3, tails: [0.1, 0.9] as const };
  assert.deepEqual(
    bootstrapMeans(figures, options),
    figures.map((values) => bootstrapMean(values, options)),
  );
  assert.throws(() => bootstrapMeans([[1], [1, 2]], options), /figures of the same 1 users/);
});

it("refuses to speak for no users", () => {
  assert.throws(() => bootstrapMean([], { seed: 1 }), /at least one user/);
  assert.throws(() => bootstrapRatio([1], [1, 2], { seed: 1 }), /one pair a user/);
});
