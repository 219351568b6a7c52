import type { Weights } from "./weights.ts";

const FIRST_DECAY = 0.9;
const SECOND_DECAY = 0.98;
const EPSILON = 1e-8;

/** First and second moments of every weight, and the steps taken. */
export interface AdamState {
  readonly first: Weights;
  readonly second: Weights;
  steps: number;
}

/**
 * One step of AdamW, in place: m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g²,
 * w ← w − η·(m̂ / (√v̂ + ε) + reg·w), with m̂, v̂ corrected for their zero start. On plain arrays rather than
 * tensors, so that a checkpoint holds every bit of the optimizer and resuming cannot drift.
 * Source: Kingma & Ba 2015, algorithm 1; decoupled decay after Loshchilov & Hutter 2019.
 */
export function adamStep(
  weights: Weights,
  gradients: Readonly<Record<string, Float32Array>>,
  state: AdamState,
  { learningRate, reg }: { readonly learningRate: number; readonly reg: number },
): void {
  state.steps++;
  const rate = (learningRate * Math.sqrt(1 - SECOND_DECAY ** state.steps)) / (1 - FIRST_DECAY ** state.steps);
  const keep = 1 - learningRate * reg;
  for (const [name, { data }] of Object.entries(weights)) {
    const gradient = gradients[name];
    const first = state.first[name].data;
    const second = state.second[name].data;
    for (let index = 0; index < data.length; index++) {
      const g = gradient[index];
      const m = FIRST_DECAY * first[index] + (1 - FIRST_DECAY) * g;
      const v = SECOND_DECAY * second[index] + (1 - SECOND_DECAY) * g * g;
      first[index] = m;
      second[index] = v;
      data[index] = keep * data[index] - (rate * m) / (Math.sqrt(v) + EPSILON);
    }
  }
}
