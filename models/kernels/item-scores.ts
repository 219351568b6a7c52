import { Arena } from "./arena.ts";
import { paddedTo, writePadded } from "./padding.ts";
import { instantiate, type Kernels, kernelModule } from "./wasm.ts";

/** Scores of all items for one query vector: S = V·q, V (items × d), on the calling thread. */
export class ItemScores {
  readonly arena = new Arena();
  readonly kernels: Kernels;
  /** d padded to whole vectors. */
  readonly width: number;
  /** (items, padded) × width: the caller may read it, never write. */
  readonly factors: Float32Array;
  /** (width) written by the caller, its padding left 0. */
  readonly query: Float32Array;
  readonly #paddedScores: Float32Array;
  readonly #scores: Float32Array;

  constructor(factors: Float32Array, items: number, d: number) {
    if (factors.length !== items * d) {
      throw new RangeError(`item factors: expected ${items} × ${d} values, got ${factors.length}`);
    }
    this.kernels = instantiate(kernelModule(), this.arena.memory);
    this.width = paddedTo(8, d);
    this.factors = this.arena.floats(paddedTo(4, items) * this.width);
    writePadded(factors, d, this.factors, this.width);
    this.query = this.arena.floats(this.width);
    this.#paddedScores = this.arena.floats(paddedTo(4, items));
    this.#scores = this.#paddedScores.subarray(0, items);
  }

  /** Scores (items) for the present `query`; the array is overwritten by the next call. */
  compute(): Float32Array {
    const { byteOffset, length } = this.#paddedScores;
    this.kernels.scoreFloat32(this.factors.byteOffset, this.query.byteOffset, byteOffset, length, this.width);
    return this.#scores;
  }
}
