import type { ItemScores } from "./item-scores.ts";
import { paddedTo } from "./padding.ts";

const LARGEST_INT8 = 127;
const LARGEST_INT16 = 32_767;
const LARGEST_INT32 = 2 ** 31 - 1;
/** Unit roundoff of float32, doubled: what one operation may add, with room to spare. */
const ROUNDING = 2 ** -23;

/**
 * An upper bound of every item's score from a quarter of the bytes. Item rows are rounded to int8, v ≈ ṽ = s·q with
 * s = max |v| / 127, the query to int16, x ≈ x̃, so that by Cauchy and Schwarz
 *   v·x ≤ ṽ·x̃ + ‖v − ṽ‖·‖x‖ + ‖ṽ‖·‖x − x̃‖
 * and the last two, with every rounding of float32 on both sides, are at most slack(v)·‖x‖: what `ItemScores.compute`
 * gives never lies above, and rarely more than a hundredth of ‖v‖·‖x‖ below. Memory: items × (d + 12) bytes beside the
 * float32 factors.
 */
export class ScoreBounds {
  readonly #scores: ItemScores;
  readonly #items: number;
  readonly #padded: number;
  readonly #width: number;
  /** Largest whole number a query factor becomes. */
  readonly #reach: number;
  readonly #quantised: Int8Array;
  readonly #scales: Float32Array;
  readonly #slacks: Float32Array;
  readonly #query: Int16Array;
  readonly #bounds: Float32Array;

  constructor(scores: ItemScores) {
    const { arena, factors, items, width } = scores;
    this.#scores = scores;
    this.#items = items;
    this.#padded = paddedTo(4, items);
    this.#width = paddedTo(8, width);
    this.#reach = Math.min(LARGEST_INT16, Math.floor(LARGEST_INT32 / LARGEST_INT8 / this.#width));
    this.#quantised = arena.bytes(this.#padded * this.#width);
    this.#scales = arena.floats(this.#padded);
    this.#slacks = arena.floats(this.#padded);
    this.#query = arena.shorts(this.#width);
    this.#bounds = arena.floats(this.#padded);
    for (let item = 0; item < items; item++) {
      this.#quantise(item, factors.subarray(item * width, (item + 1) * width));
    }
  }

  /** A factor that is not finite makes the slack, and so the bound, not finite either. */
  #quantise(item: number, row: Float32Array): void {
    const scale = Math.fround(largest(row) / LARGEST_INT8) || 1;
    const start = item * this.#width;
    let lost = 0;
    let kept = 0;
    for (let k = 0; k < row.length; k++) {
      const whole = Math.round(row[k] / scale);
      this.#quantised[start + k] = whole;
      lost += (row[k] - whole * scale) ** 2;
      kept += (whole * scale) ** 2;
    }
    // Each factor of the query moves by half a step at most, and a step is max |x| / reach ≤ ‖x‖ / reach.
    const ofQuery = Math.sqrt(this.#width) / (2 * this.#reach);
    const ofFloats = (this.#width + 16) * ROUNDING;
    const norm = Math.sqrt(kept) + Math.sqrt(lost);
    this.#scales[item] = scale;
    this.#slacks[item] = (Math.sqrt(lost) + (ofQuery + ofFloats) * norm) * (1 + ROUNDING);
  }

  /** Bounds (items) for the present query of the scores; the array is overwritten by the next call. */
  compute(): Float32Array {
    const { kernels, query } = this.#scores;
    const scale = Math.fround(largest(query) / this.#reach) || 1;
    let square = 0;
    for (let k = 0; k < query.length; k++) {
      this.#query[k] = Math.round(query[k] / scale);
      square += query[k] ** 2;
    }
    kernels.boundInt8(
      this.#quantised.byteOffset,
      this.#scales.byteOffset,
      this.#slacks.byteOffset,
      this.#query.byteOffset,
      scale,
      Math.sqrt(square) * (1 + ROUNDING),
      this.#bounds.byteOffset,
      this.#padded,
      this.#width,
    );
    return this.#bounds.subarray(0, this.#items);
  }
}

/** Not a number when one of the values is none. */
function largest(values: Float32Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}
