import type { SparseRows } from "../data/sparse-rows.ts";
import { paddedTo, withoutPadding, writePadded } from "./padding.ts";
import { KernelPool } from "./pool.ts";

const CHUNK_ROWS = 32;
const GRAM_CHUNK_ROWS = 2048;

export type AlsMethod = "cholesky" | "conjugate-gradient";

export interface AlsSides {
  readonly users: SparseRows;
  readonly items: SparseRows;
  /** (users), (items) λ of each row. */
  readonly userRidges: ArrayLike<number>;
  readonly itemRidges: ArrayLike<number>;
}

export interface AlsSettings {
  readonly d: number;
  /** α₀ */
  readonly unobservedWeight: number;
  readonly method: AlsMethod;
  /** Steps of conjugate gradients a row. */
  readonly steps: number;
  readonly threads: number;
}

interface Side {
  readonly rows: number;
  readonly factors: Float32Array;
  readonly explained: Float32Array;
  /** starts, columns, weights. */
  readonly matrix: readonly number[];
  readonly ridges: number;
  /** √ of the largest weight. */
  readonly largestRoot: number;
}

/** Both sides of an implicit ALS fit in shared memory, improved half a sweep at a time. Close it after use. */
export class AlsSolver {
  readonly #pool: KernelPool;
  readonly #settings: AlsSettings;
  readonly #width: number;
  readonly #gram: Float32Array;
  readonly #partials: Float32Array;
  readonly #users: Side;
  readonly #items: Side;

  private constructor(pool: KernelPool, sides: AlsSides, settings: AlsSettings, itemFactors: Float32Array) {
    this.#pool = pool;
    this.#settings = settings;
    this.#width = paddedTo(8, settings.d);
    const square = this.#width * this.#width;
    this.#gram = pool.arena.floats(square);
    const mostRows = Math.max(sides.users.rows, sides.items.rows);
    this.#partials = pool.arena.floats(Math.ceil(mostRows / GRAM_CHUNK_ROWS) * square);
    this.#users = this.#place(sides.users, sides.userRidges);
    this.#items = this.#place(sides.items, sides.itemRidges);
    writePadded(itemFactors, settings.d, this.#items.factors, this.#width);
  }

  /** @param itemFactors (items × d) where the first sweep starts; user factors start at 0. */
  static async open(sides: AlsSides, settings: AlsSettings, itemFactors: Float32Array): Promise<AlsSolver> {
    const width = paddedTo(8, settings.d);
    const pool = await KernelPool.open(settings.threads, (kernels) => kernels.alsScratchBytes(width));
    try {
      return new AlsSolver(pool, sides, settings, itemFactors);
    } catch (error) {
      await pool.close();
      throw error;
    }
  }

  #place(side: SparseRows, ridges: ArrayLike<number>): Side {
    const { arena } = this.#pool;
    const weights = side.weights === null ? 0 : arena.floatsOf(side.weights).byteOffset;
    return {
      rows: side.rows,
      factors: arena.floats(side.rows * this.#width),
      explained: arena.floats(side.rows),
      matrix: [arena.wordsOf(side.starts).byteOffset, arena.wordsOf(side.columns).byteOffset, weights],
      ridges: arena.floatsOf(Float32Array.from(ridges)).byteOffset,
      largestRoot: Math.sqrt(side.weights === null ? 1 : largestMagnitude(side.weights)),
    };
  }

  /** Solves every user against the items. Returns Σ bᵀx, what the users explain of the objective. */
  solveUsers(): number {
    return this.#solve(this.#users, this.#items);
  }

  /** Solves every item against the users. */
  solveItems(): number {
    return this.#solve(this.#items, this.#users);
  }

  #solve(side: Side, fixed: Side): number {
    const { method, steps, unobservedWeight } = this.#settings;
    this.#sumGram(fixed, unobservedWeight);
    const pointers = [fixed.factors, this.#gram].map((array) => array.byteOffset);
    const outputs = [side.factors, side.explained].map((array) => array.byteOffset);
    const args = [...side.matrix, ...pointers, side.ridges, ...outputs, this.#width];
    if (method === "cholesky") {
      const largest = side.largestRoot * largestMagnitude(fixed.factors);
      this.#pool.run("alsCholesky", side.rows, CHUNK_ROWS, [...args, largest]);
    } else {
      this.#pool.run("alsConjugateGradient", side.rows, CHUNK_ROWS, [...args, steps]);
    }
    let explained = 0;
    for (const row of side.explained) explained += row;
    return explained;
  }

  /** gram = scale·FᵀF. Partial sums are cut by row number and added in order, whatever the threads. */
  #sumGram({ rows, factors }: Side, scale: number): void {
    const width = this.#width;
    const square = width * width;
    this.#pool.run("gramChunk", rows, GRAM_CHUNK_ROWS, [
      factors.byteOffset,
      this.#partials.byteOffset,
      GRAM_CHUNK_ROWS,
      width,
    ]);
    const chunks = Math.ceil(rows / GRAM_CHUNK_ROWS);
    for (let i = 0; i < width; i++) {
      for (let j = i; j < width; j++) {
        let sum = 0;
        for (let chunk = 0; chunk < chunks; chunk++) sum += this.#partials[chunk * square + i * width + j];
        this.#gram[i * width + j] = scale * sum;
        this.#gram[j * width + i] = scale * sum;
      }
    }
  }

  /** Σ ridge_u·|w_u|² over the users' present factors. */
  userPenalty(ridges: ArrayLike<number>): number {
    const { rows, factors } = this.#users;
    let penalty = 0;
    for (let row = 0; row < rows; row++) {
      let norm = 0;
      for (const factor of factors.subarray(row * this.#width, (row + 1) * this.#width))
        norm += factor * factor;
      penalty += ridges[row] * norm;
    }
    return penalty;
  }

  /** (users × d) */
  userFactors(): Float32Array {
    return withoutPadding(this.#users.factors, this.#settings.d, this.#width);
  }

  /** (items × d) */
  itemFactors(): Float32Array {
    return withoutPadding(this.#items.factors, this.#settings.d, this.#width);
  }

  /** (d × d) VᵀV of the items' present factors. */
  itemGram(): Float32Array {
    this.#sumGram(this.#items, 1);
    const { d } = this.#settings;
    return withoutPadding(this.#gram, d, this.#width).subarray(0, d * d);
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}

function largestMagnitude(values: Float32Array): number {
  let largest = 0;
  for (let k = 0; k < values.length; k++) largest = Math.max(largest, Math.abs(values[k]));
  return largest;
}
