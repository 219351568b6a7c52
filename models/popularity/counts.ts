import { MS_PER_DAY } from "../data/day.ts";
import type { TrainingSet } from "../data/interaction-matrix.ts";

/** All-time interactions per item, shape (items). */
export function counts(train: TrainingSet): Float32Array {
  const { items, columns } = train.interactions;
  const perItem = new Float32Array(items.size);
  for (const item of columns) perItem[item]++;
  return perItem;
}

/**
 * Popular lately: Σ 0.5^(age / halfLifeDays) per item, age measured back from the last training event.
 * Shape (items).
 */
export function decayedCounts(train: TrainingSet, halfLifeDays: number): Float32Array {
  const { items, columns, timestamps } = train.interactions;
  const perItem = new Float64Array(items.size);
  for (let slot = 0; slot < columns.length; slot++) {
    perItem[columns[slot]] += 0.5 ** ((train.through - timestamps[slot]) / MS_PER_DAY / halfLifeDays);
  }
  return Float32Array.from(perItem);
}
