import type { Arena } from "../kernels/arena.ts";
import { paddedTo } from "../kernels/padding.ts";

/** Edge of the blocks that the kernels work in. */
export const BLOCK = 64;
export const PANEL_COLUMNS = 8;

/**
 * A square float32 matrix of zeros in the memory of the kernels, by panels of eight columns: entry (row, column) lies at
 * ((column >> 3) · stride + row) · 8 + (column & 7). Its edge is padded to whole blocks, so that no loop has ragged ends;
 * the padding is an identity where a matrix is factored.
 */
export class PanelMatrix {
  readonly size: number;
  /** Padded edge. */
  readonly stride: number;
  /** (stride · stride) */
  readonly values: Float32Array;

  constructor(arena: Arena, size: number) {
    this.size = size;
    this.stride = paddedTo(BLOCK, Math.max(1, size));
    this.values = arena.floats(this.stride * this.stride);
  }

  /** Place of an entry in `values`; the next row of the same column is PANEL_COLUMNS further. */
  at(row: number, column: number): number {
    return ((column >> 3) * this.stride + row) * PANEL_COLUMNS + (column & 7);
  }

  add(row: number, column: number, value: number): void {
    this.values[this.at(row, column)] += value;
  }

  /** Writes rows 0 … size−1 of a column into `target`. */
  readColumn(column: number, target: Float32Array): void {
    for (let row = 0, at = this.at(0, column); row < this.size; row++, at += PANEL_COLUMNS) {
      target[row] = this.values[at];
    }
  }
}
