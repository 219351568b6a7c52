import { Arena } from "./arena.ts";
import { paddedTo, writePadded } from "./padding.ts";
import { instantiate, type Kernels, kernelModule } from "./wasm.ts";

/** Best items first, with exact scores. */
export interface TopItems {
  readonly items: Uint32Array;
  readonly scores: Float32Array;
}

/**
 * Top-k by inner product where reading all float32 factors is the cost: items are scored in int8, a quarter of the
 * bytes (each row scaled to ±127 by its own largest factor), and the best `rescored` are scored again in float32.
 * Memory: (items × d) bytes on top of the float32 factors.
 */
export class Int8Index {
  readonly #kernels: Kernels;
  readonly #items: number;
  readonly #padded: number;
  readonly #width: number;
  readonly #rescored: number;
  readonly #factors: Float32Array;
  readonly #quantised: Int8Array;
  readonly #scales: Float32Array;
  readonly #query: Int16Array;
  readonly #scores: Float32Array;
  readonly #heap: Uint32Array;

  constructor(factors: Float32Array, items: number, d: number, rescored: number) {
    const arena = new Arena();
    this.#kernels = instantiate(kernelModule(), arena.memory);
    this.#items = items;
    this.#padded = paddedTo(4, items);
    this.#width = paddedTo(8, d);
    this.#rescored = Math.min(rescored, items);
    this.#factors = arena.floats(this.#padded * this.#width);
    writePadded(factors, d, this.#factors, this.#width);
    this.#quantised = arena.bytes(this.#padded * this.#width);
    this.#scales = arena.floats(this.#padded);
    this.#query = arena.shorts(this.#width);
    this.#scores = arena.floats(this.#padded);
    this.#heap = arena.words(this.#rescored);
    for (let item = 0; item < items; item++) {
      const row = this.#factors.subarray(item * this.#width, (item + 1) * this.#width);
      const scale = largest(row) / 127 || 1;
      this.#scales[item] = scale;
      for (let k = 0; k < row.length; k++) {
        this.#quantised[item * this.#width + k] = Math.round(row[k] / scale);
      }
    }
  }

  /** The k best of all items for `query` (d); k ≤ rescored. Ties: the lower index first. */
  top(query: Float32Array, k: number): TopItems {
    const scale = largest(query) / 127 || 1;
    for (let factor = 0; factor < query.length; factor++) {
      this.#query[factor] = Math.round(query[factor] / scale);
    }
    // The query's scale is common to all items: leaving it out changes no ranking.
    this.#kernels.scoreInt8(
      this.#quantised.byteOffset,
      this.#scales.byteOffset,
      this.#query.byteOffset,
      this.#scores.byteOffset,
      this.#padded,
      this.#width,
    );
    const { byteOffset } = this.#scores;
    const held = this.#kernels.topK(byteOffset, this.#items, this.#rescored, this.#heap.byteOffset);
    const exact = Array.from(this.#heap.subarray(0, held), (item) => ({
      item,
      score: this.#exact(item, query),
    }));
    exact.sort((a, b) => b.score - a.score || a.item - b.item);
    const best = exact.slice(0, k);
    return {
      items: Uint32Array.from(best, ({ item }) => item),
      scores: Float32Array.from(best, ({ score }) => score),
    };
  }

  #exact(item: number, query: Float32Array): number {
    let score = 0;
    const row = item * this.#width;
    for (let k = 0; k < query.length; k++) score += this.#factors[row + k] * query[k];
    return score;
  }
}

function largest(values: Float32Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}
