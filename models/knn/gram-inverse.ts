import type { InteractionMatrix } from "../data/interaction-matrix.ts";
import { transposed } from "../data/sparse-rows.ts";
import { KernelPool } from "../kernels/pool.ts";
import { PANEL_COLUMNS, PanelMatrix } from "../linear-algebra/panel-matrix.ts";
import { invert } from "../linear-algebra/positive-definite.ts";

/** Edge of the largest matrix inverted here: two of 256 MB, and half a minute on one core. */
export const LARGEST_EDGE = 8000;

/** Writes column `item` of a matrix (items × items) into `column`. */
export type ColumnReader = (item: number, column: Float32Array) => void;

/**
 * Columns of P = (XᵀX + reg·I)⁻¹ for the binary X (users × items), by way of the smaller side:
 *   items ≤ users   the inverse itself
 *   users < items   P = (I − Xᵀ·(X·Xᵀ + reg·I)⁻¹·X) / reg       (Woodbury identity)
 * so a small community may have a large catalogue. Cubic in the smaller side.
 * @throws RangeError when both sides are larger than LARGEST_EDGE
 */
export async function gramInverse(
  interactions: InteractionMatrix,
  reg: number,
  threads: number,
): Promise<ColumnReader> {
  const { users, items } = interactions;
  if (Math.min(users.size, items.size) > LARGEST_EDGE) {
    throw new RangeError(
      `gram inverse: expected at most ${LARGEST_EDGE} items or users, got ${items.size} items and ` +
        `${users.size} users; leave the least used items out`,
    );
  }
  const pool = await KernelPool.open(threads, () => 0);
  try {
    return items.size <= users.size
      ? throughItems(pool, interactions, reg)
      : throughUsers(pool, interactions, reg);
  } finally {
    await pool.close();
  }
}

function throughItems(
  pool: KernelPool,
  { users, items, rowStarts, columns }: InteractionMatrix,
  reg: number,
): ColumnReader {
  const gram = new PanelMatrix(pool.arena, items.size);
  for (let item = 0; item < items.size; item++) gram.add(item, item, reg);
  for (let user = 0; user < users.size; user++) {
    const row = columns.subarray(rowStarts[user], rowStarts[user + 1]);
    for (const item of row) for (const other of row) gram.add(item, other, 1);
  }
  const inverse = invert(pool, gram);
  return (item, column) => inverse.readColumn(item, column);
}

function throughUsers(
  pool: KernelPool,
  { users, items, rowStarts, columns }: InteractionMatrix,
  reg: number,
): ColumnReader {
  const rows = { rows: users.size, others: items.size, starts: rowStarts, columns, weights: null };
  const { starts, columns: fans } = transposed(rows);
  const gram = new PanelMatrix(pool.arena, users.size);
  for (let user = 0; user < users.size; user++) gram.add(user, user, reg);
  for (let item = 0; item < items.size; item++) {
    const together = fans.subarray(starts[item], starts[item + 1]);
    for (const one of together) for (const other of together) gram.add(one, other, 1);
  }
  const inverse = invert(pool, gram);
  const { arena, kernels } = pool;
  const startsPointer = arena.wordsOf(starts).byteOffset;
  const fansPointer = arena.wordsOf(fans).byteOffset;
  const ofUsers = arena.floats(users.size * PANEL_COLUMNS);
  const explained = arena.floats(items.size * PANEL_COLUMNS);
  /** Columns first … first + 7 of Xᵀ·(X·Xᵀ + reg·I)⁻¹·X, kept because they are asked for in order. */
  const explain = (first: number): void => {
    ofUsers.fill(0);
    for (let item = first; item < Math.min(first + PANEL_COLUMNS, items.size); item++) {
      for (let slot = starts[item]; slot < starts[item + 1]; slot++) {
        const column = inverse.at(0, fans[slot]);
        for (let at = 0; at < ofUsers.length; at += PANEL_COLUMNS) {
          ofUsers[at + item - first] += inverse.values[column + at];
        }
      }
    }
    kernels.sumPanelRows(startsPointer, fansPointer, items.size, ofUsers.byteOffset, explained.byteOffset);
  };
  let present = -1;
  return (item, target) => {
    const lane = item % PANEL_COLUMNS;
    if (present !== item - lane) {
      present = item - lane;
      explain(present);
    }
    for (let other = 0; other < items.size; other++) {
      target[other] = -explained[other * PANEL_COLUMNS + lane] / reg;
    }
    target[item] += 1 / reg;
  };
}
