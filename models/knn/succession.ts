import type { InteractionMatrix } from "../data/interaction-matrix.ts";
import type { WeightedRows } from "../data/sparse-rows.ts";
import { itemColumns } from "./item-columns.ts";
import { strongestRows } from "./strongest-rows.ts";

export interface SuccessionParams {
  /** Events after which an earlier item counts 1/e. */
  readonly decay: number;
  /** Earlier events looked at. */
  readonly window: number;
  readonly shrinkage: number;
  readonly neighbours: number;
}

/**
 * Each item's K strongest forerunners, by how often and how closely they came before it:
 *   D_ij = Σ exp(−(gap − 1) / decay) over every time a user had i, `gap` events before j (gap ≤ window)
 *   s_ij = D_ij / √((n_i + shrinkage)·(n_j + shrinkage)),  n_i the number of users who have i
 * O(nnz · window) time, O(items) memory besides the result.
 */
export function forerunners(interactions: InteractionMatrix, params: SuccessionParams): WeightedRows {
  const { items, rowStarts, columns } = interactions;
  const { starts, slots, userOfSlot } = itemColumns(interactions);
  const having = (item: number): number => starts[item + 1] - starts[item] + params.shrinkage;
  const closeness = Float64Array.from({ length: params.window + 1 }, (_, gap) =>
    Math.exp(-(gap - 1) / params.decay),
  );
  const decayed = new Float64Array(items.size);
  const touched = new Uint32Array(items.size);
  const scores = new Float32Array(items.size);
  return strongestRows(items.size, params.neighbours, (item) => {
    let count = 0;
    for (let place = starts[item]; place < starts[item + 1]; place++) {
      const slot = slots[place];
      const oldest = Math.max(rowStarts[userOfSlot[slot]], slot - params.window);
      for (let earlier = slot - 1; earlier >= oldest; earlier--) {
        const other = columns[earlier];
        if (decayed[other] === 0) touched[count++] = other;
        decayed[other] += closeness[slot - earlier];
      }
    }
    for (let place = 0; place < count; place++) {
      const other = touched[place];
      scores[place] = decayed[other] / Math.sqrt(having(item) * having(other));
      decayed[other] = 0;
    }
    return { columns: touched, values: scores, count };
  });
}
