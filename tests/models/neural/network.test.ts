import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../../models/data/random.ts";
import { loadBackend } from "../../../models/neural/backend.ts";
import { ForwardPass } from "../../../models/neural/forward.ts";
import { dropoutMasks, hiddenStates, trainingStep } from "../../../models/neural/network.ts";
import type { Batch } from "../../../models/neural/sequences.ts";
import { initialWeights, type Weights } from "../../../models/neural/weights.ts";

const SHAPE = { items: 9, embeddingSize: 6, blocks: 2, maxLength: 5 };

/** Weights with nothing at its special starting value: gains off 1, biases off 0. */
function unevenWeights(shape = SHAPE): Weights {
  const random = seededRandom(3);
  const weights = initialWeights(shape, random);
  for (const { data } of Object.values(weights)) {
    for (let index = 0; index < data.length; index++) data[index] += 0.3 * random.normal();
  }
  return weights;
}

const PRIOR = Float32Array.of(0.1, -1, 0.4, 2, 0, 0.7, -0.3, 1, 0.2);

const BATCH: Batch = {
  windows: 2,
  length: 4,
  inputs: Int32Array.of(1, 2, 3, 0, 4, 5, 6, 7),
  targets: Int32Array.of(2, 3, 0, 0, 5, 6, 7, 8),
  weights: Float32Array.of(1, 1, 0, 0, 1, 1, 1, 1),
  shuffled: false,
  negatives: Int32Array.of(2, 5, 8, 5),
  multiplicities: Float32Array.of(0.3, 0.8, -0.2, 0.8),
};

for (const shuffled of [false, true]) {
  test(`the gradient of every array is the slope of the loss${shuffled ? ", order or not" : ""}`, async () => {
    const { tf } = await loadBackend("wasm");
    const weights = unevenWeights();
    const batch = { ...BATCH, shuffled };
    const { gradients } = trainingStep(tf, weights, SHAPE.blocks, batch, PRIOR, undefined);
    const step = 4e-3;
    for (const [name, { data }] of Object.entries(weights)) {
      for (let index = 0; index < data.length; index += 5) {
        const held = data[index];
        data[index] = held + step;
        const above = trainingStep(tf, weights, SHAPE.blocks, batch, PRIOR, undefined).loss;
        data[index] = held - step;
        const below = trainingStep(tf, weights, SHAPE.blocks, batch, PRIOR, undefined).loss;
        data[index] = held;
        const slope = (above - below) / (2 * step);
        assert.ok(
          Math.abs(slope - gradients[name][index]) < 3e-3 + 0.02 * Math.abs(slope),
          `${name}[${index}]: ${gradients[name][index]} ≠ ${slope}`,
        );
      }
    }
  });
}

test("where order is chance, the loss is the mean cross-entropy of all that a window still holds", async () => {
  const { tf } = await loadBackend("wasm");
  const weights = unevenWeights();
  const all = {
    ...BATCH,
    shuffled: true,
    negatives: Int32Array.from({ length: SHAPE.items }, (_, item) => item),
    multiplicities: new Float32Array(SHAPE.items),
  };
  const { loss } = trainingStep(tf, weights, SHAPE.blocks, all, PRIOR, undefined);
  const losses = [...BATCH.targets.keys()].flatMap((position) => {
    if (BATCH.weights[position] === 0) return [];
    const start = position - (position % BATCH.length);
    const items = Uint32Array.from(BATCH.inputs.subarray(start, position + 1));
    const scores = new ForwardPass(weights, SHAPE, PRIOR).scoreItems({ items });
    assert.ok(scores !== null);
    const partition = scores.reduce((sum, score) => sum + Math.exp(score), 0);
    const remaining = [...BATCH.targets.keys()].slice(position, start + BATCH.length);
    const targets = remaining
      .filter((place) => BATCH.weights[place] > 0)
      .map((place) => BATCH.targets[place]);
    return targets.reduce((sum, item) => sum + Math.log(partition) - scores[item], 0) / targets.length;
  });
  assert.ok(Math.abs(loss - losses.reduce((sum, value) => sum + value, 0) / losses.length) < 1e-4);
});

test("loss and gradients agree between WebAssembly and the reference backend, dropout included", async () => {
  const weights = unevenWeights();
  const results = [];
  for (const engine of ["wasm", "cpu"] as const) {
    const { tf } = await loadBackend(engine);
    results.push(trainingStep(tf, weights, SHAPE.blocks, BATCH, PRIOR, dropoutMasks(0.4, seededRandom(5))));
  }
  const [wasm, cpu] = results;
  assert.ok(Math.abs(wasm.loss - cpu.loss) < 1e-4);
  for (const name of Object.keys(weights)) {
    for (const [index, expected] of cpu.gradients[name].entries()) {
      assert.ok(Math.abs(wasm.gradients[name][index] - expected) < 1e-3, `${name}[${index}]`);
    }
  }
});

test("with every item as a negative the loss is the full softmax", async () => {
  const { tf } = await loadBackend("wasm");
  const weights = unevenWeights();
  const all = {
    ...BATCH,
    negatives: Int32Array.from({ length: SHAPE.items }, (_, item) => item),
    multiplicities: new Float32Array(SHAPE.items),
  };
  const { loss } = trainingStep(tf, weights, SHAPE.blocks, all, PRIOR, undefined);
  let total = 0;
  for (let position = 0; position < BATCH.targets.length; position++) {
    if (BATCH.weights[position] === 0) continue;
    const start = position - (position % BATCH.length);
    const items = Uint32Array.from(BATCH.inputs.subarray(start, position + 1));
    const scores = new ForwardPass(weights, SHAPE, PRIOR).scoreItems({ items });
    assert.ok(scores !== null);
    const partition = scores.reduce((sum, score) => sum + Math.exp(score), 0);
    total -= Math.log(Math.exp(scores[BATCH.targets[position]]) / partition);
  }
  assert.ok(Math.abs(loss - total / 6) < 1e-4, `${loss} ≠ ${total / 6}`);
});

test("served scores equal TensorFlow's for histories of every length", async () => {
  const { tf } = await loadBackend("wasm");
  for (const embeddingSize of [6, 8, 20]) {
    const shape = { ...SHAPE, embeddingSize };
    const weights = unevenWeights(shape);
    const scorer = new ForwardPass(weights, shape, PRIOR);
    for (const history of [[3], [3, 1], [8, 7, 6], [1, 2, 3, 4, 5], [8, 0, 1, 2, 3, 4, 5]]) {
      const recent = history.slice(-shape.maxLength);
      tf.tidy(() => {
        const tensors = Object.fromEntries(
          Object.entries(weights).map(([name, { shape: sides, data }]) => [
            name,
            tf.tensor(data, [...sides]),
          ]),
        );
        const input = { windows: 1, length: recent.length, inputs: Int32Array.from(recent) };
        const states = hiddenStates(tf, tensors, shape.blocks, input, undefined);
        const state = tf.slice(states, [recent.length - 1, 0], [1, embeddingSize]);
        const expected = tf.matMul(
          state,
          tf.tensor2d(weights.itemEmbedding.data, [9, embeddingSize]),
          false,
          true,
        );
        const scores = scorer.scoreItems({ items: Uint32Array.from(history) });
        assert.ok(scores !== null);
        for (const [item, value] of expected.dataSync().entries()) {
          assert.ok(Math.abs(scores[item] - value - PRIOR[item]) < 1e-4, `${scores[item]} ≠ ${value}`);
        }
      });
    }
  }
});

test("an empty history says nothing", () => {
  assert.equal(
    new ForwardPass(unevenWeights(), SHAPE, PRIOR).scoreItems({ items: new Uint32Array(0) }),
    null,
  );
});

test("no tensor outlives its step: their number is flat over 1,000 steps", async () => {
  const { tf } = await loadBackend("wasm");
  const weights = unevenWeights({ ...SHAPE, blocks: 1 });
  const before = tf.memory();
  const masks = dropoutMasks(0.3, seededRandom(1));
  for (let step = 0; step < 1000; step++) trainingStep(tf, weights, 1, BATCH, PRIOR, masks);
  const after = tf.memory();
  assert.equal(after.numTensors, before.numTensors);
  assert.equal(after.numDataBuffers, before.numDataBuffers);
});
