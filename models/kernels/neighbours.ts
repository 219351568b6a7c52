import { type SparseRows, transposed, type WeightedRows } from "../data/sparse-rows.ts";
import { KernelPool } from "./pool.ts";

const CHUNK_ITEMS = 32;

export interface NeighbourOptions {
  /** Neighbours kept an item. */
  readonly k: number;
  /** s: a similarity seen by n users counts n/(n + s) of itself. */
  readonly shrinkage: number;
  readonly threads: number;
}

/**
 * Item neighbours from weighted users × items rows W, without a dense item × item matrix:
 *   sim(i, j) = cos(W_i, W_j) · n/(n + s)        n = users who have both; only sim > 0 is kept
 * Row i (items × items) holds the nearest of item i, best first (similarity descending, then index ascending).
 * Time O(Σ_u |row u|²), memory O(items) a thread. Columns are normalised here, so W may hold any non-negative
 * weights (1, TF-IDF, BM25).
 */
export async function nearestNeighbours(users: SparseRows, options: NeighbourOptions): Promise<WeightedRows> {
  const k = Math.min(options.k, Math.max(1, users.others - 1));
  const byUser = normalisedColumns(users);
  const byItem = transposed(byUser);
  const items = byItem.rows;
  const pool = await KernelPool.open(options.threads, (kernels) => kernels.neighbourScratchBytes(items));
  try {
    const { arena } = pool;
    const matrices = [byItem, byUser].flatMap(({ starts, columns, weights }) => [
      arena.wordsOf(starts).byteOffset,
      arena.wordsOf(columns).byteOffset,
      arena.floatsOf(weights).byteOffset,
    ]);
    const neighbours = arena.words(items * k);
    const similarities = arena.floats(items * k);
    const counts = arena.words(items);
    const outputs = [neighbours, similarities, counts].map((array) => array.byteOffset);
    pool.run("nearestNeighbours", items, CHUNK_ITEMS, [...matrices, items, k, options.shrinkage, ...outputs]);
    return packed(neighbours, similarities, counts, k);
  } finally {
    await pool.close();
  }
}

/** W with every column scaled to length 1. */
function normalisedColumns(rows: SparseRows): WeightedRows {
  const weights = new Float32Array(rows.columns.length).fill(1);
  if (rows.weights !== null) weights.set(rows.weights);
  const squares = new Float64Array(rows.others);
  for (let slot = 0; slot < weights.length; slot++) squares[rows.columns[slot]] += weights[slot] ** 2;
  for (let slot = 0; slot < weights.length; slot++) {
    const square = squares[rows.columns[slot]];
    if (square > 0) weights[slot] /= Math.sqrt(square);
  }
  return { ...rows, weights };
}

function packed(
  neighbours: Uint32Array,
  similarities: Float32Array,
  counts: Uint32Array,
  k: number,
): WeightedRows {
  const items = counts.length;
  const starts = new Uint32Array(items + 1);
  for (let item = 0; item < items; item++) starts[item + 1] = starts[item] + counts[item];
  const columns = new Uint32Array(starts[items]);
  const weights = new Float32Array(starts[items]);
  for (let item = 0; item < items; item++) {
    const from = item * k;
    columns.set(neighbours.subarray(from, from + counts[item]), starts[item]);
    weights.set(similarities.subarray(from, from + counts[item]), starts[item]);
  }
  return { rows: items, others: items, starts, columns, weights };
}
