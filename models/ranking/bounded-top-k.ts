import { topK } from "./ranking.ts";

/** Items best first, with their exact scores. */
export interface Best {
  readonly items: Uint32Array;
  readonly scores: Float32Array;
}

/**
 * The k best by exact score, and the very list that `topK` makes of all exact scores, from upper bounds that are cheaper
 * than the scores. The k best by bound are scored first; the worst of these is a score that k items reach, so that
 * nothing whose bound lies below can be among the best, and only the rest is scored too.
 * Source: Weber, Schek & Blott, VLDB 1998, section 4 (VA-file, "near-optimal" search).
 *
 * @param bounds (items) bounds[i] ≥ score of i
 * @param scoresOf exact scores of some items; its array may be overwritten by the next call
 */
export function topByBounds(
  bounds: Float32Array,
  scoresOf: (items: Uint32Array) => Float32Array,
  k: number,
  allowed: (index: number) => boolean,
): Best {
  const first = topK(bounds, k, allowed);
  const reached = scoresOf(first).reduce((least, score) => Math.min(least, score), Number.POSITIVE_INFINITY);
  const candidates: number[] = [];
  for (let item = 0; item < bounds.length; item++) {
    if (bounds[item] >= reached && allowed(item)) candidates.push(item);
  }
  // Ascending by index, so that equal scores come in the order of their items.
  const items = Uint32Array.from(candidates);
  const scores = scoresOf(items);
  const places = topK(scores, k, () => true);
  return {
    items: places.map((place) => items[place]),
    scores: Float32Array.from(places, (at) => scores[at]),
  };
}
