import type { ItemScorer } from "../../../models/recipe.ts";

/** Reads a history scorer as a dense matrix: row i holds the scores of the one-item history [i]. */
export function denseWeights(scorer: ItemScorer, items: number): number[][] {
  return Array.from({ length: items }, (_, item) => {
    const scores = scorer.scoreItems({
      items: Uint32Array.of(item),
      weights: Float32Array.of(1),
      timestamps: Float64Array.of(0),
    });
    return scores === null ? new Array<number>(items).fill(0) : Array.from(scores);
  });
}

export function largestDifference(
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
): number {
  let largest = 0;
  for (const [row, values] of a.entries()) {
    for (const [column, value] of values.entries()) {
      largest = Math.max(largest, Math.abs(value - b[row][column]));
    }
  }
  return largest;
}
