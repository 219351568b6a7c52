import { MS_PER_DAY } from "../data/day.ts";
import type { Sequences } from "./sequences.ts";

/** How likely each item is before the history is looked at, in logarithms up to a constant, (items). */
export interface Priors {
  /** log(1 + events): what held over the training time. */
  readonly training: Float32Array;
  /** log(1 + Σ 0.5^(age / halfLifeDays)): what holds at its end. */
  readonly serving: Float32Array;
}

/**
 * The network learns log P(item | history) − training prior; serving adds the prior of its own time. Taste is thus
 * learned from all the years and popularity from the last ones (the label-shift correction of Saerens, Latinne &
 * Decaestecker 2002, section 2.2).
 */
export function priorsOf(sequences: Sequences, timestamps: Float64Array, halfLifeDays: number): Priors {
  const { items, rowStarts, rowEnds, columns } = sequences;
  const all = new Float64Array(items).fill(1);
  const lately = new Float64Array(items).fill(1);
  let now = Number.NEGATIVE_INFINITY;
  const eachSlot = (visit: (slot: number) => void): void => {
    for (let user = 0; user < rowEnds.length; user++) {
      for (let slot = rowStarts[user]; slot < rowEnds[user]; slot++) visit(slot);
    }
  };
  eachSlot((slot) => {
    now = Math.max(now, timestamps[slot]);
  });
  eachSlot((slot) => {
    all[columns[slot]]++;
    lately[columns[slot]] += 0.5 ** ((now - timestamps[slot]) / MS_PER_DAY / halfLifeDays);
  });
  return { training: Float32Array.from(all, Math.log), serving: Float32Array.from(lately, Math.log) };
}
