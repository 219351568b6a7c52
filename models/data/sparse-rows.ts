/** Weighted rows (users × items, items × users, items × items), compressed: what the kernels and scorers sweep over. */
export interface SparseRows {
  readonly rows: number;
  /** Rows of the other side. */
  readonly others: number;
  /** (rows + 1) row r is the range starts[r] … starts[r + 1]. */
  readonly starts: Uint32Array;
  /** (nnz) index on the other side. */
  readonly columns: Uint32Array;
  /** (nnz) how much each entry counts; null when every one counts 1. */
  readonly weights: Float32Array | null;
}

/** Rows of which every entry says how much it counts. */
export interface WeightedRows extends SparseRows {
  readonly weights: Float32Array;
}

/** Counting sort by column: the same entries seen from the other side, each row in ascending order. */
export function transposed(side: WeightedRows): WeightedRows;
export function transposed(side: SparseRows): SparseRows;
export function transposed(side: SparseRows): SparseRows {
  const { rows, others, starts, columns, weights } = side;
  const columnStarts = new Uint32Array(others + 1);
  for (const column of columns) columnStarts[column + 1]++;
  for (let column = 0; column < others; column++) columnStarts[column + 1] += columnStarts[column];
  const next = columnStarts.slice(0, -1);
  const rowOf = new Uint32Array(columns.length);
  const moved = weights === null ? null : new Float32Array(weights.length);
  for (let row = 0; row < rows; row++) {
    for (let slot = starts[row]; slot < starts[row + 1]; slot++) {
      const target = next[columns[slot]]++;
      rowOf[target] = row;
      if (moved !== null && weights !== null) moved[target] = weights[slot];
    }
  }
  return { rows: others, others: rows, starts: columnStarts, columns: rowOf, weights: moved };
}

/** Σ weights of each row. Shape (rows). */
export function rowMasses({ rows, starts, weights }: SparseRows): Float64Array {
  const masses = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    if (weights === null) masses[row] = starts[row + 1] - starts[row];
    else for (let slot = starts[row]; slot < starts[row + 1]; slot++) masses[row] += weights[slot];
  }
  return masses;
}
