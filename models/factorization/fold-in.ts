import { matrixOf, vectorOf } from "../arrays/named-arrays.ts";
import { ItemScores } from "../kernels/item-scores.ts";
import { queryScorer } from "../ranking/query-scorer.ts";
import type { EncodedHistory, ItemScorer, NamedArrays } from "../recipe.ts";
import { type Objective, ridgeOf } from "./objective.ts";
import { ratingConfidence } from "./sides.ts";

/** exp(−age/recency), age in events back from the newest (age 0). Shape (length). */
export function recencyWeights(length: number, recency: number): Float32Array {
  if (recency === 0) return new Float32Array(length).fill(1);
  return Float32Array.from({ length }, (_, place) => Math.exp((place + 1 - length) / recency));
}

/** How a history is turned into a user's row. */
export interface FoldInParams extends Objective {
  readonly recency: number;
  /** As in training (see sides.ts); absent: 0, ratings are ignored. */
  readonly ratingExponent?: number | undefined;
}

/**
 * A history becomes one more user row: recency and, as in training, ratings weigh its items, one exact solve against the
 * item factors V gives its vector x, and the scores are V·x. A history of nothing but zero ratings says nothing.
 *
 * @param arrays itemFactors (items × d), gram (d × d) = VᵀV, and meanRating (1) where ratings count
 * @param bias (items) added to the scores
 */
export function foldInScorer(
  arrays: NamedArrays,
  params: FoldInParams,
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

  const { ratingExponent = 0 } = params;
  const mean = ratingExponent === 0 ? 1 : vectorOf(arrays, "meanRating", Float32Array)[0];
  const solve = ({ items: watched, weights: ratings }: EncodedHistory): boolean => {
    const { length } = watched;
    if (length === 0) return false;
    if (length > columns.length) {
      columns = arena.words(2 * length);
      weights = arena.floats(2 * length);
    }
    const confidence = recencyWeights(length, params.recency);
    let mass = 0;
    for (let place = 0; place < length; place++) {
      confidence[place] *= ratingConfidence(ratings[place], mean, ratingExponent);
      mass += confidence[place];
    }
    if (mass === 0) return false;
    columns.set(watched);
    weights.set(confidence);
    starts[1] = length;
    ridge[0] = ridgeOf(mass, items, params);
    const row = [starts, columns, weights, scores.factors, gram, ridge, scores.query, explained];
    kernels.alsCholesky(0, 1, scratch, ...row.map((array) => array.byteOffset), width, 0);
    return true;
  };
  return queryScorer(scores, solve, bias);
}
