import assert from "node:assert/strict";
import { test } from "node:test";
import { fitModel, recommenderOf } from "../../../models/model.ts";
import { decodeCheckpoint } from "../../../models/neural/checkpoint.ts";
import { sasrec } from "../../../models/neural/sasrec.ts";
import type { SasrecParams } from "../../../models/neural/sasrec-params.ts";
import type { FitOptions, NamedArrays } from "../../../models/recipe.ts";
import { circle, SMALL_SASREC } from "../support/circle.ts";
import { historyOf, trainingSetOf } from "../support/toy-data.ts";

/** A store in memory; `onSave` sees every save. */
function store(onSave: (saves: number) => void = () => undefined) {
  let kept: Uint8Array | null = null;
  let saves = 0;
  return {
    load: async () => kept,
    save: async (bytes: Uint8Array) => {
      kept = bytes;
      onSave(++saves);
    },
  };
}

const fit = async (
  options: Partial<FitOptions> = {},
  params: SasrecParams = SMALL_SASREC,
): Promise<NamedArrays> => (await sasrec.fit(circle(), params, { seed: 7, ...options })).arrays;

/** The run a checkpoint says it belongs to. */
function runOf(bytes: Uint8Array): string {
  const headerLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
  return JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength))).run;
}

test("what always comes next is learned", async () => {
  const params = { ...SMALL_SASREC, epochs: 30, patience: 0 };
  const { model, report } = await fitModel("sasrec", circle(), params, { seed: 7 });
  const recommender = recommenderOf(model);
  for (const [history, next] of [
    [["item3", "item4"], "item5"],
    [["item10", "item11"], "item0"],
    [["item0", "item1", "item2", "item3", "item4", "item5", "item6", "item7"], "item8"],
  ] as const) {
    const { items, source } = recommender.recommend({ history: historyOf(...history), k: 1 });
    assert.equal(source, "model");
    assert.equal(items[0].itemId, next);
  }
  assert.equal(report.losses.length, 30);
  assert.ok(report.losses[29] < report.losses[0] / 2);
  assert.match(report.backend, /^tfjs-/);
});

test("a seed gives the same arrays again, and another seed others", async () => {
  const first = await fit();
  assert.deepEqual(await fit(), first);
  assert.notDeepEqual(await fit({ seed: 8 }), first);
});

test("progress rises to the end and tells loss and validation", async () => {
  const fractions: number[] = [];
  const messages: string[] = [];
  await fit({
    onProgress: ({ fraction, message }) => {
      fractions.push(fraction);
      messages.push(message);
    },
  });
  assert.deepEqual(
    fractions,
    fractions.toSorted((a, b) => a - b),
  );
  assert.equal(fractions.at(-1), 1);
  assert.match(messages[0], /^search epoch 1: loss [\d.]+, validation nDCG [\d.]+$/);
});

test("training stops after as many epochs without a better validation as patience allows, and keeps the best", async () => {
  // Steps so large that the network forgets what it learned first.
  const params = { ...SMALL_SASREC, learningRate: 0.15, epochs: 12, patience: 2, refitEpochs: 0 };
  const scores: number[] = [];
  const kept: Uint8Array[] = [];
  const checkpoint = { load: async () => null, save: async (bytes: Uint8Array) => void kept.push(bytes) };
  const { arrays, report } = await sasrec.fit(circle(), params, {
    seed: 7,
    checkpoint,
    onProgress: ({ message }) => scores.push(Number(/validation nDCG ([\d.]+)$/.exec(message)?.[1])),
  });
  const best = scores.indexOf(Math.max(...scores));
  assert.ok(best + 1 < params.epochs - params.patience, `the best of ${scores} is too late for this test`);
  assert.equal(report.epochs, best + 1 + params.patience);
  assert.equal(report.stillImproving, false);
  const state = decodeCheckpoint(runOf(kept[best]), kept[best]);
  assert.ok(state !== undefined);
  for (const [name, { data }] of Object.entries(state.weights))
    assert.deepEqual(arrays[name].data, data, name);
});

test("an abort stops training between two steps", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const training = fit({ signal: controller.signal });
  setImmediate(() => controller.abort(reason));
  await assert.rejects(training, reason);
});

for (const epoch of [1, 4]) {
  test(`training killed after epoch ${epoch} resumes and ends with the very arrays of an undisturbed run`, async () => {
    const undisturbed = await fit();
    const controller = new AbortController();
    const checkpoint = store((saves) => {
      if (saves === epoch) controller.abort();
    });
    await assert.rejects(fit({ checkpoint, signal: controller.signal }));
    let epochs = 0;
    const resumed = await fit({ checkpoint, onProgress: () => epochs++ });
    assert.deepEqual(resumed, undisturbed);
    assert.ok(epochs < 5, `${epochs} epochs were trained again`);
  });
}

test("a checkpoint of other parameters or with a torn end is passed over", async () => {
  const undisturbed = await fit();
  const other = store();
  await fit({ checkpoint: other }, { ...SMALL_SASREC, dropout: 0.2 });
  assert.deepEqual(await fit({ checkpoint: other }), undisturbed);

  const whole = store();
  await fit({ checkpoint: whole });
  const bytes = await whole.load();
  const torn = { ...whole, load: async () => bytes?.subarray(0, bytes.length - 5) ?? null };
  assert.deepEqual(await fit({ checkpoint: torn }), undisturbed);
});

test("data too small for a validation window trains without one", async () => {
  const lone = trainingSetOf({ only: ["a", "b"] });
  const { report } = await sasrec.fit(lone, SMALL_SASREC, { seed: 1 });
  assert.equal(report.stillImproving, false);
});

test("arrays of a wrong shape are refused by name", async () => {
  const arrays = await fit({}, { ...SMALL_SASREC, epochs: 1, refitEpochs: 0 });
  const broken = { ...arrays, finalGain: { shape: [3], data: new Float32Array(3) } };
  assert.throws(() => sasrec.scorer(broken, SMALL_SASREC), /finalGain of shape 16, got 3/);
});
