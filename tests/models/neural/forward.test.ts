import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../../models/data/random.ts";
import { ForwardPass } from "../../../models/neural/forward.ts";
import { LAYER_NORM_EPSILON } from "../../../models/neural/layer-norm.ts";
import { initialWeights, type NetworkShape, type Weights } from "../../../models/neural/weights.ts";

/** The served network once more, in plain numbers straight from its formulas: scores (items) for a history. */
function plainScores(
  weights: Weights,
  shape: NetworkShape,
  prior: Float32Array,
  history: number[],
): number[] {
  const { items, embeddingSize: d, blocks, maxLength } = shape;
  const recent = history.slice(-maxLength);
  const at = (name: string, index: number): number => weights[name].data[index];
  const norm = (x: number[], gain: string, bias: string): number[] => {
    const mean = x.reduce((sum, value) => sum + value, 0) / d;
    const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / d;
    return x.map(
      (value, k) => ((value - mean) / Math.sqrt(variance + LAYER_NORM_EPSILON)) * at(gain, k) + at(bias, k),
    );
  };
  /** x·W, W (d × columns), from column `from` on. */
  const times = (x: number[], name: string, columns: number, from = 0): number[] =>
    x.map((_, j) => x.reduce((sum, value, k) => sum + value * at(name, k * columns + from + j), 0));
  let states = recent.map((item, position) =>
    Array.from(
      { length: d },
      (_, k) => at("itemEmbedding", item * d + k) * Math.sqrt(d) + at("positionEmbedding", position * d + k),
    ),
  );
  for (let block = 0; block < blocks; block++) {
    const name = (part: string): string => `block${block}.${part}`;
    const normed = states.map((x) => norm(x, name("attentionGain"), name("attentionBias")));
    const [queries, keys, values] = [0, d, 2 * d].map((from) =>
      normed.map((x) => times(x, name("queryKeyValue"), 3 * d, from)),
    );
    states = states.map((x, p) => {
      const powers = keys
        .slice(0, p + 1)
        .map((key) => Math.exp(key.reduce((sum, value, k) => sum + value * queries[p][k], 0) / Math.sqrt(d)));
      const total = powers.reduce((sum, value) => sum + value, 0);
      return x.map(
        (value, k) => value + powers.reduce((sum, power, q) => sum + (power / total) * values[q][k], 0),
      );
    });
    states = states.map((x) => {
      const hidden = times(norm(x, name("feedForwardGain"), name("feedForwardBias")), name("hidden"), d).map(
        (value, k) => Math.max(0, value + at(name("hiddenBias"), k)),
      );
      return times(hidden, name("output"), d).map((value, k) => x[k] + value + at(name("outputBias"), k));
    });
  }
  const last = norm(states[states.length - 1], "finalGain", "finalBias");
  return Array.from(
    { length: items },
    (_, item) =>
      last.reduce((sum, value, k) => sum + value * at("itemEmbedding", item * d + k), 0) + prior[item],
  );
}

const shapes: readonly NetworkShape[] = [
  { items: 1, embeddingSize: 1, blocks: 1, maxLength: 1 },
  { items: 2, embeddingSize: 3, blocks: 1, maxLength: 2 },
  { items: 5, embeddingSize: 8, blocks: 3, maxLength: 9 },
  { items: 37, embeddingSize: 17, blocks: 2, maxLength: 6 },
  { items: 11, embeddingSize: 64, blocks: 2, maxLength: 50 },
];

for (const shape of shapes) {
  test(`served scores are those of the formulas: ${JSON.stringify(shape)}`, () => {
    const random = seededRandom(3);
    const weights = initialWeights(shape, random);
    for (const { data } of Object.values(weights)) {
      for (let index = 0; index < data.length; index++) data[index] += 0.2 * random.normal();
    }
    const prior = Float32Array.from({ length: shape.items }, () => random.normal());
    const scorer = new ForwardPass(weights, shape, prior);
    for (const length of [1, 2, 4, 5, 60]) {
      const history = Array.from({ length }, () => random.integer(shape.items));
      const scores = scorer.scoreItems({ items: Uint32Array.from(history) });
      assert.ok(scores);
      for (const [item, expected] of plainScores(weights, shape, prior, history).entries()) {
        const error = Math.abs(scores[item] - expected) / (1 + Math.abs(expected));
        assert.ok(error < 1e-4, `history of ${length}, item ${item}: ${scores[item]} ≠ ${expected}`);
      }
    }
  });
}

test("a weight that is no number reaches every score, where it is refused", () => {
  const shape = { items: 6, embeddingSize: 4, blocks: 1, maxLength: 3 };
  const weights = initialWeights(shape, seededRandom(1));
  weights["block0.hidden"].data[3] = Number.NaN;
  const scores = new ForwardPass(weights, shape, new Float32Array(6)).scoreItems({
    items: Uint32Array.of(2),
  });
  assert.ok(scores?.every(Number.isNaN));
});
