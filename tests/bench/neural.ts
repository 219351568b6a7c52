/**
 * Prints what a training step and a served score of `sasrec` cost on the best backend that loads:
 * `npm run -s build && node dist/tests/bench/neural.js`
 */
import { seededRandom } from "../../models/data/random.ts";
import { loadBackend } from "../../models/neural/backend.ts";
import { ForwardPass } from "../../models/neural/forward.ts";
import { initialWeights } from "../../models/neural/weights.ts";
import { medianDuration, type StepShape, stepDuration } from "./training-step.ts";

const backend = await loadBackend();
for (const shape of [
  { windows: 128, length: 50, items: 3700, negatives: 512 },
  { windows: 32, length: 50, items: 3700, negatives: 128 },
] satisfies StepShape[]) {
  const { windows, length, items, negatives } = shape;
  const { wallMs, cpuMs } = stepDuration(backend, shape);
  console.log(
    `${backend.name} step: batch ${windows}, length ${length}, d 64, ${items} items, ${negatives} negatives: ` +
      `${wallMs.toFixed(0)} ms, ${cpuMs.toFixed(0)} ms CPU`,
  );
}
for (const items of [3700, 10_000]) {
  const random = seededRandom(1);
  const shape = { items, embeddingSize: 64, blocks: 2, maxLength: 50 };
  const scorer = new ForwardPass(initialWeights(shape, random), shape, new Float32Array(items));
  const history = { items: Uint32Array.from({ length: 50 }, () => random.integer(items)) };
  const { cpuMs } = medianDuration(5, 9, () => {
    for (let index = 0; index < 100; index++) scorer.scoreItems(history);
  });
  console.log(`served scores: ${items} items, length 50, d 64: ${(cpuMs / 100).toFixed(2)} ms CPU`);
}
