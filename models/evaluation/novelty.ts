import type { ItemId } from "../data/ids.ts";
import type { Vocabulary } from "../data/vocabulary.ts";

/**
 * Self-information of an item in bits, −log2(popularity share): rare items surprise more.
 * An item without any share (or outside the vocabulary) is as novel as the rarest that has one, never infinite.
 * Source: Vargas & Castells, RecSys 2011; Zhou et al., PNAS 107(10), 2010.
 */
export function selfInformation(
  items: Vocabulary<ItemId>,
  popularity: Float32Array,
): (item: ItemId) => number {
  if (popularity.length !== items.size) {
    throw new RangeError(`novelty: expected ${items.size} popularity shares, got ${popularity.length}`);
  }
  let rarest = 1;
  for (const share of popularity) if (share > 0 && share < rarest) rarest = share;
  const bits = Float64Array.from(popularity, (share) => -Math.log2(share > 0 ? share : rarest));
  return (item) => {
    const index = items.indexOf(item);
    return index === undefined ? -Math.log2(rarest) : bits[index];
  };
}

/** Mean self-information of a list, bits; 0 for an empty one. */
export function novelty(ranking: readonly ItemId[], information: (item: ItemId) => number): number {
  let sum = 0;
  for (const item of ranking) sum += information(item);
  return ranking.length === 0 ? 0 : sum / ranking.length;
}

/** Shares of the interactions, Σ = 1, from counts (items). */
export function popularityShares(counts: ArrayLike<number>): Float32Array {
  let total = 0;
  for (let item = 0; item < counts.length; item++) total += counts[item];
  return Float32Array.from(counts, (count) => (total === 0 ? 0 : count / total));
}
