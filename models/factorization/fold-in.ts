import { matrixOf } from "../arrays.ts";
import { ItemScores } from "../kernels/item-scores.ts";
import { type HistoryItems, queryScorer } from "../query-scorer.ts";
import type { ItemScorer, NamedArrays } from "../recipe.ts";
import { type Objective, ridgeOf } from "./objective.ts";

/** exp(−age/recency), age in events back from the newest (age 0). Shape (length). */
export function recencyWeights(length: number, recency: number): Float32Array {
  if (recency === 0) return new Float32Array(length).fill(1);
  return Float32Array.from({ length }, (_, place) => Math.exp((place + 1 - length) / recency));
}

/**
 * A history becomes one more user row: recency weighs its items, one exact solve against the item factors V
 * gives its vector x, and the scores are V·x.
 *
 * @param arrays itemFactors (items × d), gram (d × d) = VᵀV
 * @param bias (items) added to the scores
 */
export function foldInScorer(
  arrays: NamedArrays,
  params: Objective & { readonly recency: number },
  bias: Float32Array | null = null,
): ItemScorer {
  const { rows: items, columns: d, values: factors } = matrixOf(arrays, "itemFactors");
  const { rows, columns: gramColumns, values: itemGram } = matrixOf(arrays, "gram");
  if (rows !== d || gramColumns !== d) {
    throw new RangeError(
      `array "gram": expected ${d} × ${d}, got ${rows} × ${gramColumns}; retrain the model`,
    );
  }
  const scores = new ItemScores(factors, items, d);
  const { arena, kernels, width } = scores;
  const gram = arena.floats(width * width);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) {
      gram[i * width + j] = params.unobservedWeight * itemGram[i * d + j];
    }
  }
  const scratch = arena.bytes(kernels.alsScratchBytes(width)).byteOffset;
  const starts = arena.words(2);
  const ridge = arena.floats(1);
  const explained = arena.floats(1);
  let columns = arena.words(256);
  let weights = arena.floats(256);

  const solve = ({ items: watched }: HistoryItems): boolean => {
    const { length } = watched;
    if (length === 0) return false;
    if (length > columns.length) {
      columns = arena.words(2 * length);
      weights = arena.floats(2 * length);
    }
    const recency = recencyWeights(length, params.recency);
    columns.set(watched);
    weights.set(recency);
    starts[1] = length;
    ridge[0] = ridgeOf(
      recency.reduce((sum, weight) => sum + weight, 0),
      items,
      params,
    );
    const row = [starts, columns, weights, scores.factors, gram, ridge, scores.query, explained];
    kernels.alsCholesky(0, 1, scratch, ...row.map((array) => array.byteOffset), width, 0);
    return true;
  };
  return queryScorer(scores, solve, bias);
}
