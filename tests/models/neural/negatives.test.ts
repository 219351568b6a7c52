import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../../models/data/random.ts";
import { negativeSampler } from "../../../models/neural/negatives.ts";

const SHARES = [0.5, 0.3, 0.15, 0.05];
const PRIOR = Float32Array.from(SHARES, (share) => Math.log(7 * share));

test("negatives are drawn as often as they are popular", () => {
  const sampler = negativeSampler(PRIOR, 3);
  const random = seededRandom(1);
  const drawn = [0, 0, 0, 0];
  for (let batch = 0; batch < 4000; batch++) for (const item of sampler.draw(random).items) drawn[item]++;
  for (const [item, times] of drawn.entries()) {
    assert.ok(Math.abs(times / 12_000 - SHARES[item]) < 0.015, `${item}: ${times}`);
  }
});

test("a sum over negatives, each for as many items as it stands for, is on average the sum over all items", () => {
  const sampler = negativeSampler(PRIOR, 3);
  const random = seededRandom(2);
  const value = (item: number): number => (item + 1) ** 2;
  let total = 0;
  for (let batch = 0; batch < 20_000; batch++) {
    const { items, multiplicities } = sampler.draw(random);
    for (const [index, item] of items.entries()) total += value(item) * Math.exp(multiplicities[index]);
  }
  assert.ok(Math.abs(total / 20_000 - (1 + 4 + 9 + 16)) < 0.5, `${total / 20_000}`);
});

test("with every item asked for, each is given once and stands for itself", () => {
  const { items, multiplicities } = negativeSampler(PRIOR, 9).draw(seededRandom(1));
  assert.deepEqual([...items], [0, 1, 2, 3]);
  assert.deepEqual([...multiplicities], [0, 0, 0, 0]);
});
