import { type SparseRows, transposed } from "../data/sparse-rows.ts";
import { KernelPool } from "../kernels/pool.ts";
import { PANEL_COLUMNS, PanelMatrix } from "../linear-algebra/panel-matrix.ts";
import { invert } from "../linear-algebra/positive-definite.ts";

/** Writes column `item` of a matrix (items × items) into `column`. */
export type ColumnReader = (item: number, column: Float32Array) => void;

/**
 * Columns of P = (XᵀX + reg·I)⁻¹ for the binary X (users × items), by way of the smaller side:
 *   items ≤ users   the inverse itself
 *   users < items   P = (I − Xᵀ·(X·Xᵀ + reg·I)⁻¹·X) / reg       (Woodbury identity)
 * so a small community may have a large catalogue. Cubic in the smaller side, of which two matrices are held.
 */
export async function gramInverse(users: SparseRows, reg: number, threads: number): Promise<ColumnReader> {
  const pool = await KernelPool.open(threads, () => 0);
  try {
    return users.others <= users.rows ? throughItems(pool, users, reg) : throughUsers(pool, users, reg);
  } finally {
    await pool.close();
  }
}

function throughItems(pool: KernelPool, users: SparseRows, reg: number): ColumnReader {
  const gram = new PanelMatrix(pool.arena, users.others);
  for (let item = 0; item < users.others; item++) gram.add(item, item, reg);
  for (let user = 0; user < users.rows; user++) {
    const row = users.columns.subarray(users.starts[user], users.starts[user + 1]);
    for (const item of row) for (const other of row) gram.add(item, other, 1);
  }
  const inverse = invert(pool, gram);
  return (item, column) => inverse.readColumn(item, column);
}

function throughUsers(pool: KernelPool, users: SparseRows, reg: number): ColumnReader {
  const { rows: items, starts, columns: fans } = transposed(users);
  const gram = new PanelMatrix(pool.arena, users.rows);
  for (let user = 0; user < users.rows; user++) gram.add(user, user, reg);
  for (let item = 0; item < items; item++) {
    const together = fans.subarray(starts[item], starts[item + 1]);
    for (const one of together) for (const other of together) gram.add(one, other, 1);
  }
  const inverse = invert(pool, gram);
  const { arena, kernels } = pool;
  const startsPointer = arena.wordsOf(starts).byteOffset;
  const fansPointer = arena.wordsOf(fans).byteOffset;
  const ofUsers = arena.floats(users.rows * PANEL_COLUMNS);
  const explained = arena.floats(items * PANEL_COLUMNS);
  /** Columns first … first + 7 of Xᵀ·(X·Xᵀ + reg·I)⁻¹·X, kept because they are asked for in order. */
  const explain = (first: number): void => {
    ofUsers.fill(0);
    for (let item = first; item < Math.min(first + PANEL_COLUMNS, items); item++) {
      for (let slot = starts[item]; slot < starts[item + 1]; slot++) {
        const column = inverse.at(0, fans[slot]);
        for (let at = 0; at < ofUsers.length; at += PANEL_COLUMNS) {
          ofUsers[at + item - first] += inverse.values[column + at];
        }
      }
    }
    kernels.sumPanelRows(startsPointer, fansPointer, items, ofUsers.byteOffset, explained.byteOffset);
  };
  let present = -1;
  return (item, target) => {
    const lane = item % PANEL_COLUMNS;
    if (present !== item - lane) {
      present = item - lane;
      explain(present);
    }
    for (let other = 0; other < items; other++) {
      target[other] = -explained[other * PANEL_COLUMNS + lane] / reg;
    }
    target[item] += 1 / reg;
  };
}
