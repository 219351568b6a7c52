import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../../models/data/random.ts";
import type { Dimension } from "../../../models/recipe.ts";
import { parzenEstimator } from "../../../models/tuning/parzen.ts";

const UNIT: Dimension = { kind: "linear", low: 0, high: 1 };
const CHOICE: Dimension = { kind: "choice", values: ["a", "b", "c"] };

test("the density integrates to 1 over the cube", () => {
  const estimator = parzenEstimator(
    [UNIT, CHOICE],
    [
      [0.02, 0],
      [0.5, 2],
      [0.97, 2],
    ],
  );
  const steps = 2000;
  let total = 0;
  for (let step = 0; step < steps; step++) {
    for (let choice = 0; choice < 3; choice++)
      total += Math.exp(estimator.logDensity([(step + 0.5) / steps, choice]));
  }
  assert.ok(Math.abs(total / steps - 1) < 1e-4, `${total / steps}`);
});

test("samples stay in the cube and fall where the density is", () => {
  const estimator = parzenEstimator(
    [UNIT, CHOICE],
    [
      [0.3, 1],
      [0.32, 1],
      [0.28, 1],
    ],
  );
  const random = seededRandom(1);
  const samples = Array.from({ length: 4000 }, () => estimator.sample(random));
  assert.ok(samples.every(([x, choice]) => x >= 0 && x <= 1 && [0, 1, 2].includes(choice)));
  const steps = 500;
  let expected = 0;
  for (let step = 0; step < steps; step++) {
    expected += (0.2 / steps) * Math.exp(estimator.logDensity([0.2 + (0.2 * (step + 0.5)) / steps, 1]));
  }
  const near = samples.filter(([x, choice]) => x >= 0.2 && x < 0.4 && choice === 1).length / samples.length;
  assert.ok(Math.abs(near - expected) < 0.03, `${near} of the samples, ${expected} of the density`);
});
