/** Prints what a training step and a served score of `sasrec` cost: `node dist/tests/bench/neural.js`. CPU time, one thread. */
import { seededRandom } from "../../models/data/random.ts";
import { adamStep } from "../../models/neural/adam.ts";
import { loadBackend } from "../../models/neural/backend.ts";
import { ForwardPass } from "../../models/neural/forward.ts";
import { negativeSampler } from "../../models/neural/negatives.ts";
import { dropoutMasks, trainingStep } from "../../models/neural/network.ts";
import { initialWeights, zerosLike } from "../../models/neural/weights.ts";

const random = seededRandom(1);

/** Median CPU milliseconds of a run, after `warmUp` runs. */
function medianMs(warmUp: number, runs: number, run: () => void): number {
  for (let index = 0; index < warmUp; index++) run();
  const times = Array.from({ length: runs }, () => {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return times.sort((a, b) => a - b)[runs >> 1];
}

async function step(windows: number, length: number, items: number, negatives: number): Promise<string> {
  const { tf, name } = await loadBackend();
  const weights = initialWeights({ items, embeddingSize: 64, blocks: 2, maxLength: length }, random);
  const state = { first: zerosLike(weights), second: zerosLike(weights), steps: 0 };
  const masks = dropoutMasks(0.3, random);
  const prior = new Float32Array(items);
  const sampler = negativeSampler(prior, negatives);
  const positions = windows * length;
  const draw = () => Int32Array.from({ length: positions }, () => random.integer(items));
  const ms = medianMs(4, 8, () => {
    const { items: contrasts, multiplicities } = sampler.draw(random);
    const batch = {
      windows,
      length,
      inputs: draw(),
      targets: draw(),
      weights: new Float32Array(positions).fill(1),
      shuffled: false,
      negatives: contrasts,
      multiplicities,
    };
    adamStep(weights, trainingStep(tf, weights, 2, batch, prior, masks).gradients, state, {
      learningRate: 1e-3,
      reg: 0,
    });
  });
  return `${name} step: batch ${windows}, length ${length}, d 64, ${items} items, ${negatives} negatives: ${ms.toFixed(0)} ms`;
}

function score(items: number): string {
  const shape = { items, embeddingSize: 64, blocks: 2, maxLength: 50 };
  const scorer = new ForwardPass(initialWeights(shape, random), shape, new Float32Array(items));
  const history = { items: Uint32Array.from({ length: 50 }, () => random.integer(items)) };
  const hundred = medianMs(5, 9, () => {
    for (let index = 0; index < 100; index++) scorer.scoreItems(history);
  });
  return `served scores: ${items} items, length 50, d 64: ${(hundred / 100).toFixed(2)} ms`;
}

console.log(await step(128, 50, 3700, 512));
console.log(await step(32, 50, 3700, 128));
console.log(score(3700));
console.log(score(10_000));
