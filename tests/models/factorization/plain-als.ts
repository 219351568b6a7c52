import type { SparseRows } from "../../../models/data/sparse-rows.ts";

/** FᵀF of a row-major (rows × d) matrix, accumulated in float64. Shape (d × d). */
export function gramOf(factors: Float32Array, d: number): Float32Array {
  const sum = new Float64Array(d * d);
  for (let row = 0; row < factors.length; row += d) {
    for (let i = 0; i < d; i++) {
      for (let j = 0; j <= i; j++) sum[i * d + j] += factors[row + i] * factors[row + j];
    }
  }
  for (let i = 0; i < d; i++) for (let j = i + 1; j < d; j++) sum[i * d + j] = sum[j * d + i];
  return Float32Array.from(sum);
}

/**
 * One half of a sweep in plain JavaScript: solves every row exactly against the fixed side.
 *
 * @param gram (d × d) α₀·FᵀF of the fixed side F
 * @param ridges (rows) λ of each row
 * @param solved (rows × d) is overwritten
 * @returns Σ over rows of bᵀx, the part of the objective the rows explain
 */
export function solveRows(
  side: SparseRows,
  fixed: Float32Array,
  gram: Float32Array,
  ridges: ArrayLike<number>,
  d: number,
  solved: Float32Array,
): number {
  const matrix = new Float64Array(d * d);
  const x = new Float64Array(d);
  const b = new Float64Array(d);
  let explained = 0;
  for (let row = 0; row < side.rows; row++) {
    for (let i = 0; i < d * d; i++) matrix[i] = gram[i];
    for (let i = 0; i < d; i++) matrix[i * d + i] += ridges[row];
    b.fill(0);
    for (let slot = side.starts[row]; slot < side.starts[row + 1]; slot++) {
      const f = side.columns[slot] * d;
      const weight = side.weights === null ? 1 : side.weights[slot];
      for (let i = 0; i < d; i++) {
        const scaled = weight * fixed[f + i];
        b[i] += scaled;
        for (let j = 0; j <= i; j++) matrix[i * d + j] += scaled * fixed[f + j];
      }
    }
    x.set(b);
    choleskySolve(matrix, x, d);
    for (let i = 0; i < d; i++) {
      solved[row * d + i] = x[i];
      explained += b[i] * x[i];
    }
  }
  return explained;
}

/** Solves A·x = b in place for symmetric positive definite A (lower triangle read and overwritten); x starts as b. */
export function choleskySolve(a: Float64Array, x: Float64Array, d: number): void {
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * d + j];
      for (let k = 0; k < j; k++) sum -= a[i * d + k] * a[j * d + k];
      a[i * d + j] = i === j ? Math.sqrt(sum) : sum / a[j * d + j];
    }
    let sum = x[i];
    for (let k = 0; k < i; k++) sum -= a[i * d + k] * x[k];
    x[i] = sum / a[i * d + i];
  }
  for (let i = d - 1; i >= 0; i--) {
    let sum = x[i];
    for (let k = i + 1; k < d; k++) sum -= a[k * d + i] * x[k];
    x[i] = sum / a[i * d + i];
  }
}
