import { seededRandom } from "../../../models/data/random.ts";
import { type SparseRows, transposed } from "../../../models/data/sparse-rows.ts";

/** Rows of very different lengths: every third is empty, one holds every column. */
export function raggedRows(rows: number, others: number, weighted: boolean, seed = 1): SparseRows {
  const random = seededRandom(seed);
  const starts = new Uint32Array(rows + 1);
  const columns: number[] = [];
  for (let row = 0; row < rows; row++) {
    const share = row === 1 ? 1 : row % 3 === 0 ? 0 : random.next();
    for (let column = 0; column < others; column++) if (random.next() < share) columns.push(column);
    starts[row + 1] = columns.length;
  }
  const weights = weighted ? Float32Array.from(columns, () => 0.2 + 2 * random.next()) : null;
  return { rows, others, starts, columns: Uint32Array.from(columns), weights };
}

export function bothSides(rows: number, others: number, weighted: boolean) {
  const users = raggedRows(rows, others, weighted);
  return { users, items: transposed(users) };
}

export function randomFactors(rows: number, d: number, seed = 2): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: rows * d }, () => random.normal());
}
