import type { InteractionMatrix } from "../data/interaction-matrix.ts";

/** The interaction matrix by item: who has each item, and where in that user's row it stands. */
export interface ItemColumns {
  /** (items + 1) column i is the range starts[i] … starts[i + 1]. */
  readonly starts: Uint32Array;
  /** (nnz) slot of the interaction in the row-wise arrays; ascending within a column. */
  readonly slots: Uint32Array;
  /** (nnz, by slot) the user whose row holds the slot. */
  readonly userOfSlot: Uint32Array;
}

export function itemColumns({ users, items, rowStarts, columns }: InteractionMatrix): ItemColumns {
  const starts = new Uint32Array(items.size + 1);
  for (const item of columns) starts[item + 1]++;
  for (let item = 0; item < items.size; item++) starts[item + 1] += starts[item];
  const next = starts.slice(0, -1);
  const slots = new Uint32Array(columns.length);
  const userOfSlot = new Uint32Array(columns.length);
  for (let user = 0; user < users.size; user++) {
    for (let slot = rowStarts[user]; slot < rowStarts[user + 1]; slot++) {
      slots[next[columns[slot]]++] = slot;
      userOfSlot[slot] = user;
    }
  }
  return { starts, slots, userOfSlot };
}
