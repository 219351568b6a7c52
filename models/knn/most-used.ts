import type { InteractionMatrix } from "../data/interaction-matrix.ts";
import { Vocabulary } from "../data/vocabulary.ts";
import { topK } from "../ranking.ts";

/** The most interacted-with items, at most `count`, most used first. */
export function mostUsed({ items, columns }: InteractionMatrix, count: number): Uint32Array {
  const uses = new Float32Array(items.size);
  for (const item of columns) uses[item]++;
  return topK(uses, Math.min(count, items.size), () => true);
}

/** (items) where each item stands in `chosen`, or -1. */
export function placesOf(chosen: Uint32Array, items: number): Int32Array {
  const places = new Int32Array(items).fill(-1);
  for (const [place, item] of chosen.entries()) places[item] = place;
  return places;
}

/** The interactions with the chosen items only, which are numbered in their order there; every user stays. */
export function restrictedTo(chosen: Uint32Array, interactions: InteractionMatrix): InteractionMatrix {
  const { users, items, rowStarts } = interactions;
  const places = placesOf(chosen, items.size);
  const kept = (_: number, slot: number): boolean => places[interactions.columns[slot]] >= 0;
  const starts = new Uint32Array(rowStarts.length);
  for (let user = 0; user < users.size; user++) {
    let held = 0;
    for (let slot = rowStarts[user]; slot < rowStarts[user + 1]; slot++) if (kept(0, slot)) held++;
    starts[user + 1] = starts[user] + held;
  }
  return {
    users,
    items: new Vocabulary(Array.from(chosen, (item) => items.idAt(item))),
    rowStarts: starts,
    columns: interactions.columns.filter(kept).map((item) => places[item]),
    weights: interactions.weights.filter(kept),
    timestamps: interactions.timestamps.filter(kept),
  };
}
