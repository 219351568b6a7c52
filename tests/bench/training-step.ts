import { seededRandom } from "../../models/data/random.ts";
import { adamStep } from "../../models/neural/adam.ts";
import type { Backend } from "../../models/neural/backend.ts";
import { negativeSampler } from "../../models/neural/negatives.ts";
import { dropoutMasks, trainingStep } from "../../models/neural/network.ts";
import { initialWeights, zerosLike } from "../../models/neural/weights.ts";

/** What a run takes, milliseconds: of the clock, and of all processors together. */
export interface Duration {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** Medians over `runs`, after `warmUp` others. */
export function medianDuration(warmUp: number, runs: number, run: () => void): Duration {
  for (let index = 0; index < warmUp; index++) run();
  const durations = Array.from({ length: runs }, () => {
    const cpu = process.cpuUsage();
    const begun = performance.now();
    run();
    const wallMs = performance.now() - begun;
    const { user, system } = process.cpuUsage(cpu);
    return { wallMs, cpuMs: (user + system) / 1000 };
  });
  const median = (values: number[]): number => values.sort((a, b) => a - b)[runs >> 1];
  return {
    wallMs: median(durations.map(({ wallMs }) => wallMs)),
    cpuMs: median(durations.map(({ cpuMs }) => cpuMs)),
  };
}

export interface StepShape {
  readonly windows: number;
  readonly length: number;
  readonly items: number;
  readonly negatives: number;
}

/** One step of `sasrec` on random sequences, d 64, two blocks, dropout .3: forward, backward and optimizer. */
export function stepDuration({ tf }: Backend, { windows, length, items, negatives }: StepShape): Duration {
  const random = seededRandom(1);
  const weights = initialWeights({ items, embeddingSize: 64, blocks: 2, maxLength: length }, random);
  const state = { first: zerosLike(weights), second: zerosLike(weights), steps: 0 };
  const masks = dropoutMasks(0.3, random);
  const prior = new Float32Array(items);
  const sampler = negativeSampler(prior, negatives);
  const positions = windows * length;
  const draw = () => Int32Array.from({ length: positions }, () => random.integer(items));
  return medianDuration(4, 8, () => {
    const { items: contrasts, multiplicities } = sampler.draw(random);
    const batch = {
      windows,
      length,
      inputs: draw(),
      targets: draw(),
      weights: new Float32Array(positions).fill(1),
      negatives: contrasts,
      multiplicities,
    };
    const { gradients } = trainingStep(tf, weights, 2, batch, prior, masks);
    adamStep(weights, gradients, state, { learningRate: 1e-3, reg: 0 });
  });
}
