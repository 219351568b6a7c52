import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../../models/data/random.ts";
import { negativeSampler } from "../../../models/neural/negatives.ts";
import { epochBatches, type Sequences } from "../../../models/neural/sequences.ts";
import { carveValidation, validationNdcg } from "../../../models/neural/validation.ts";
import { trainingSetOf } from "../support/toy-data.ts";

/** One user with items 0 … 22, one with 23 and 24, one with a single event. */
const SEQUENCES: Sequences = {
  items: 26,
  rowStarts: Uint32Array.of(0, 23, 25, 26),
  rowEnds: Uint32Array.of(23, 25, 26),
  columns: Uint32Array.from({ length: 26 }, (_, item) => item),
};
const OPTIONS = { maxLength: 6, stride: 4, batchSize: 3, shuffled: false };
const SAMPLER = negativeSampler(new Float32Array(26), 5);

test("each epoch every event with a past is a target, and always of the event before it", () => {
  for (let seed = 0; seed < 20; seed++) {
    const targets = new Set<number>();
    for (const batch of epochBatches(SEQUENCES, OPTIONS, SAMPLER, seededRandom(seed))) {
      assert.equal(batch.inputs.length, batch.windows * batch.length);
      assert.ok(batch.length <= OPTIONS.maxLength && batch.windows <= OPTIONS.batchSize);
      for (const [position, weight] of batch.weights.entries()) {
        if (weight === 0) continue;
        targets.add(batch.targets[position]);
        assert.equal(batch.targets[position], batch.inputs[position] + 1);
      }
    }
    assert.deepEqual(
      [...targets].sort((a, b) => a - b),
      [...Array.from({ length: 22 }, (_, n) => n + 1), 24],
    );
  }
});

test("windows begin elsewhere from epoch to epoch", () => {
  const starts = (seed: number): number[] =>
    epochBatches(SEQUENCES, OPTIONS, SAMPLER, seededRandom(seed))
      .flatMap(({ windows, length, inputs }) =>
        Array.from({ length: windows }, (_, row) => inputs[row * length]),
      )
      .sort((a, b) => a - b);
  assert.ok(new Set([0, 1, 2, 3, 4, 5].map((seed) => starts(seed).join())).size > 1);
});

test("validation is the end of the training time, and each request in it has a past", () => {
  const rows = Object.fromEntries(
    Array.from({ length: 4 }, (_, user) => [`user${user}`, Array.from({ length: 10 }, (_, n) => `item${n}`)]),
  );
  const { interactions } = trainingSetOf(rows);
  const window = carveValidation(interactions, 0.2, 100, seededRandom(1));
  // 40 events an hour apart, users in turn: the last 8 are the last two of each user.
  assert.deepEqual([...window.rowEnds], [8, 18, 28, 38]);
  assert.equal(window.requests.length, 8);
  for (const { user, slot } of window.requests) assert.ok(slot >= window.rowEnds[user]);
  assert.equal(carveValidation(interactions, 0.2, 4, seededRandom(1)).requests.length, 4);

  // Slot 8 of a row is item8 and item9 is to come: a scorer that ranks item9 first and item8 second gains all.
  const scores = Float32Array.from({ length: 10 }, (_, item) => item);
  assert.equal(validationNdcg(interactions, window, { scoreItems: () => scores }), 1);
  assert.equal(validationNdcg(interactions, window, { scoreItems: () => null }), 0);
});
