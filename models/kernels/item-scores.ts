import { Arena } from "./arena.ts";
import { paddedTo, writePadded } from "./padding.ts";
import { instantiate, type Kernels, kernelModule } from "./wasm.ts";

/** Items that `computeOf` has room for before it asks for more. */
const ROOM = 256;

/** Scores of all items for one query vector: S = V·q, V (items × d), on the calling thread. */
export class ItemScores {
  readonly arena = new Arena();
  readonly kernels: Kernels;
  readonly items: number;
  /** d padded to whole vectors. */
  readonly width: number;
  /** (items, padded) × width: the caller may read it, never write. */
  readonly factors: Float32Array;
  /** (width) written by the caller, its padding left 0. */
  readonly query: Float32Array;
  readonly #paddedScores: Float32Array;
  readonly #scores: Float32Array;
  #rows: Uint32Array;
  #rowScores: Float32Array;

  constructor(factors: Float32Array, items: number, d: number) {
    if (factors.length !== items * d) {
      throw new RangeError(`item factors: expected ${items} × ${d} values, got ${factors.length}`);
    }
    this.items = items;
    this.kernels = instantiate(kernelModule(), this.arena.memory);
    this.width = paddedTo(8, d);
    this.factors = this.arena.floats(paddedTo(4, items) * this.width);
    writePadded(factors, d, this.factors, this.width);
    this.query = this.arena.floats(this.width);
    this.#paddedScores = this.arena.floats(paddedTo(4, items));
    this.#scores = this.#paddedScores.subarray(0, items);
    this.#rows = this.arena.words(ROOM);
    this.#rowScores = this.arena.floats(ROOM);
  }

  /** Scores (items) for the present `query`; the array is overwritten by the next call. */
  compute(): Float32Array {
    const { byteOffset, length } = this.#paddedScores;
    this.kernels.scoreFloat32(this.factors.byteOffset, this.query.byteOffset, byteOffset, length, this.width);
    return this.#scores;
  }

  /** Scores of some items for the present `query`, bit for bit those of `compute`; overwritten by the next call. */
  computeOf(items: Uint32Array): Float32Array {
    const { length } = items;
    if (length > this.#rows.length) {
      this.#rows = this.arena.words(2 * length);
      this.#rowScores = this.arena.floats(2 * length);
    }
    this.#rows.set(items);
    const rows = this.#rows.byteOffset;
    const { factors, query, width } = this;
    this.kernels.scoreRows(
      factors.byteOffset,
      query.byteOffset,
      rows,
      length,
      this.#rowScores.byteOffset,
      width,
    );
    return this.#rowScores.subarray(0, length);
  }
}
