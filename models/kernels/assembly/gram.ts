import { rankUpdate } from "./rank-update";

/** Rows read at a time: 128 rows of 64 factors are 32 KiB, the size of a first-level cache. */
const PANEL: usize = 128;

/**
 * Partial Gram matrix of rows from … to−1 of `factors`, written (upper triangle) to the slice of `partials` that
 * belongs to this chunk. The caller adds the slices up in their order, so the sum does not depend on threads.
 */
export function gramChunk(
  from: usize,
  to: usize,
  scratch: usize,
  factors: usize,
  partials: usize,
  chunk: usize,
  d: usize,
): void {
  const row = d << 2;
  const c = partials + (from / chunk) * d * row;
  memory.fill(c, 0, d * row);
  for (let r = from; r < to; r += PANEL) rankUpdate(factors + r * row, min<usize>(PANEL, to - r), row, c);
}
