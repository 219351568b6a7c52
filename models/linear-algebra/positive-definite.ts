import type { KernelPool } from "../kernels/pool.ts";
import { BLOCK, PANEL_COLUMNS, PanelMatrix } from "./panel-matrix.ts";

/** Panels solved at a time: 128 columns, one block of the matrix in the first-level cache serving all. */
const CHUNK_PANELS = 16;

/**
 * Overwrites a symmetric positive definite A (its upper triangle is read) with the U of A = Uᵀ·U, mirrored below the
 * diagonal: size³/6 multiply-adds. Returns where the kernels find the inverses of its pivots.
 * @throws RangeError when a pivot is not positive
 */
function factorize(pool: KernelPool, { size, stride, values }: PanelMatrix): number {
  const inverses = pool.arena.floats(stride);
  const pointers = [values.byteOffset, inverses.byteOffset, stride];
  for (let row = size; row < stride; row++) {
    values[((row >> 3) * stride + row) * PANEL_COLUMNS + (row & 7)] = 1;
  }
  for (let start = 0; start < stride; start += BLOCK) {
    pool.run("factorPanels", BLOCK / PANEL_COLUMNS, 1, [...pointers, start]);
    pool.kernels.factorCorner(values.byteOffset, inverses.byteOffset, stride, start);
    const broken = inverses.subarray(start, start + BLOCK).findIndex((inverse) => !Number.isFinite(inverse));
    if (broken >= 0) {
      throw new RangeError(
        `linear solve: expected a positive definite matrix, got no positive pivot at row ${start + broken}; use a larger reg`,
      );
    }
  }
  pool.run("mirrorPanels", stride / PANEL_COLUMNS, CHUNK_PANELS, [values.byteOffset, stride, 0]);
  return inverses.byteOffset;
}

/**
 * Solves A·X = B in place of B; A is destroyed. Both lie in the pool's memory. (1/6 + 1)·size³ multiply-adds in float32:
 * the error relative to X is about 10⁻⁷ times the condition number of A.
 */
export function solve(pool: KernelPool, matrix: PanelMatrix, sides: PanelMatrix): void {
  if (matrix.size !== sides.size) {
    throw new RangeError(`linear solve: expected ${matrix.size} right-hand sides, got ${sides.size}`);
  }
  const { stride, values } = matrix;
  const inverses = factorize(pool, matrix);
  const args = [values.byteOffset, inverses, sides.values.byteOffset, stride, 0];
  pool.run("solvePanels", stride / PANEL_COLUMNS, CHUNK_PANELS, args);
}

/** A⁻¹ of a symmetric positive definite A, which is destroyed: size³/2 multiply-adds in all. */
export function invert(pool: KernelPool, matrix: PanelMatrix): PanelMatrix {
  const { size, stride, values } = matrix;
  const inverses = factorize(pool, matrix);
  const inverse = new PanelMatrix(pool.arena, size);
  for (let row = 0; row < stride; row++) inverse.values[inverse.at(row, row)] = 1;
  const panels = stride / PANEL_COLUMNS;
  const { byteOffset } = inverse.values;
  pool.run("solvePanels", panels, CHUNK_PANELS, [values.byteOffset, inverses, byteOffset, stride, 1]);
  pool.run("mirrorPanels", panels, CHUNK_PANELS, [byteOffset, stride, 1]);
  return inverse;
}
