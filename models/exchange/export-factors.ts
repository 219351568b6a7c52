import { decompressed } from "../arrays/compression.ts";
import type { ItemId } from "../data/ids.ts";
import type { Model } from "../model.ts";
import type { NamedArray, Params } from "../recipe.ts";
import { type Safetensors, writeSafetensors } from "../safetensors/safetensors.ts";

/** Parameters that say how a history becomes a query. */
const ENCODING = ["recency", "reg", "unobservedWeight", "regExponent"] as const;

export interface ExportedFactors {
  /** A safetensors file as `importFactors` reads it. */
  readonly file: Uint8Array;
  /** Item of each row, in order. */
  readonly itemIds: readonly ItemId[];
  readonly d: number;
}

/**
 * The item factors of a model (and its biases, where it has some) with all that another installation needs to answer from
 * them as this one does: imported again they score every history the same.
 *
 * @param trainedThrough ISO 8601, the last event they were trained on
 * @throws RangeError when the model is no factorization by itself
 */
export function exportFactors(
  { arrays, items, params, recipe }: Model,
  trainedThrough: string,
): ExportedFactors {
  const { itemFactors, itemBias, meanRating } = decompressed(arrays);
  if (!(itemFactors?.data instanceof Float32Array)) {
    throw new RangeError(
      `export: expected a model of item factors such as als, got ${recipe}; train --recipe als and export that`,
    );
  }
  const tensors = new Map<string, NamedArray>([["itemFactors", itemFactors]]);
  if (itemBias !== undefined) tensors.set("itemBias", itemBias);
  const metadata = new Map([...encodingOf(params), ["recipe", recipe], ["trainedThrough", trainedThrough]]);
  if (meanRating !== undefined) {
    metadata.set("ratingExponent", String(params.ratingExponent));
    metadata.set("meanRating", String(meanRating.data[0]));
  }
  const contents: Safetensors = { tensors, metadata };
  return { file: writeSafetensors(contents), itemIds: items.ids, d: itemFactors.shape[1] };
}

/** Ours fold in; what was imported keeps its encoder. */
function encodingOf(params: Params): [string, string][] {
  const numbers = ENCODING.map((name): [string, string] => [name, String(params[name])]);
  return [["encoder", String(params.encoder ?? "fold-in")], ...numbers];
}
