import { decompressed } from "../arrays/compression.ts";
import type { ItemId } from "../data/ids.ts";
import type { Vocabulary } from "../data/vocabulary.ts";
import type { WarmStart } from "../recipe.ts";
import type { Weight, Weights } from "./weights.ts";

/**
 * The weights of an earlier version in the place of `fresh` ones: its rows of the item embedding go to the items of the
 * same id, and items it does not have keep their fresh rows. Null without an earlier version, or when its network is of
 * another size, so that nothing of it would mean the same.
 */
export function warmWeights(
  fresh: Weights,
  items: Vocabulary<ItemId>,
  warmStart: WarmStart | undefined,
): Weights | null {
  if (warmStart === undefined) return null;
  const earlier = decompressed(warmStart.arrays);
  const weights: Record<string, Weight> = {};
  for (const [name, { shape, data }] of Object.entries(fresh)) {
    const theirs = earlier[name];
    const sides = name === "itemEmbedding" ? [warmStart.items.size, shape[1]] : shape;
    if (!(theirs?.data instanceof Float32Array) || theirs.shape.join() !== sides.join()) return null;
    const start = data.slice();
    if (name === "itemEmbedding") copyRows(theirs.data, warmStart.items, start, items, shape[1]);
    else start.set(theirs.data);
    weights[name] = { shape, data: start };
  }
  return weights;
}

function copyRows(
  source: Float32Array,
  theirs: Vocabulary<ItemId>,
  target: Float32Array,
  ours: Vocabulary<ItemId>,
  d: number,
): void {
  for (const [item, id] of ours.ids.entries()) {
    const row = theirs.indexOf(id);
    if (row !== undefined) target.set(source.subarray(row * d, (row + 1) * d), item * d);
  }
}
