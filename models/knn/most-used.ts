import type { InteractionMatrix } from "../data/interaction-matrix.ts";
import type { SparseRows } from "../data/sparse-rows.ts";
import { topK } from "../ranking/ranking.ts";

/** The most interacted-with items, at most `maxItems`. */
export function mostUsed({ items, columns }: InteractionMatrix, maxItems: number): Uint32Array {
  const counts = new Float32Array(items.size);
  for (const item of columns) counts[item]++;
  return topK(counts, Math.min(maxItems, items.size), () => true);
}

/** (items) where each item stands in `chosen`, or -1. */
export function placesOf(chosen: Uint32Array, items: number): Int32Array {
  const places = new Int32Array(items).fill(-1);
  for (const [place, item] of chosen.entries()) places[item] = place;
  return places;
}

/** The interactions with some items only, which become 0 … in their order here; users stay, empty rows too. */
export function limitedTo(
  { users, items, rowStarts, columns }: InteractionMatrix,
  chosen: Uint32Array,
): SparseRows {
  const places = placesOf(chosen, items.size);
  const starts = new Uint32Array(users.size + 1);
  const kept = new Uint32Array(columns.length);
  let length = 0;
  for (let user = 0; user < users.size; user++) {
    for (let slot = rowStarts[user]; slot < rowStarts[user + 1]; slot++) {
      const row = places[columns[slot]];
      if (row >= 0) kept[length++] = row;
    }
    starts[user + 1] = length;
  }
  return { rows: users.size, others: chosen.length, starts, columns: kept.slice(0, length), weights: null };
}
