import type { WeightedRows } from "../data/sparse-rows.ts";
import { Arena } from "../kernels/arena.ts";
import { instantiate, kernelModule } from "../kernels/wasm.ts";
import type { EncodedHistory, ItemScorer } from "../recipe.ts";

/** Entries weighing less than e^−12 of the newest cannot move a ranking and are not visited. */
const NEGLIGIBLE_EXPONENT = 12;

/** A recency at which every entry of a history weighs the same: for data without order in time. */
export const UNIFORM_RECENCY = 1_000_000;

/**
 * Scores every item from a history:  score_j = Σ_h exp(−age_h / recency) · rows[h, j]  with age_h counted in
 * events back from the newest. Null when no entry of the history has a row that says anything.
 */
export function historyScorer(rows: WeightedRows, recency: number): ItemScorer {
  const arena = new Arena();
  const { sumHistoryRows } = instantiate(kernelModule(), arena.memory);
  const matrix = [
    arena.wordsOf(rows.starts).byteOffset,
    arena.wordsOf(rows.columns).byteOffset,
    arena.floatsOf(rows.weights).byteOffset,
  ] as const;
  const scores = arena.floats(rows.rows);
  const reach = Math.ceil(recency * NEGLIGIBLE_EXPONENT);
  let newest = arena.words(0);
  let scales = arena.floats(0);
  return {
    additive: true,
    scoreItems({ items }: EncodedHistory): Float32Array | null {
      const length = Math.min(items.length, reach);
      if (length > newest.length) {
        newest = arena.words(2 * length);
        scales = arena.floats(2 * length);
        for (let age = 0; age < scales.length; age++) scales[age] = Math.exp(-age / recency);
      }
      for (let age = 0; age < length; age++) newest[age] = items[items.length - 1 - age];
      const entries = sumHistoryRows(
        newest.byteOffset,
        scales.byteOffset,
        length,
        ...matrix,
        scores.byteOffset,
        scores.length,
      );
      return entries > 0 ? scores : null;
    },
  };
}
