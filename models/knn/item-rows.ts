import { vectorOf } from "../arrays/named-arrays.ts";
import { transposed, type WeightedRows } from "../data/sparse-rows.ts";
import type { NamedArrays } from "../recipe.ts";

/**
 * A neighbour model as an artifact's arrays. `targets` (items × items) lists what each item takes its score from; kept
 * is what scoring walks: row i says what having item i in the history adds to others.
 */
export function arraysOf(targets: WeightedRows): NamedArrays {
  const { starts, columns, weights } = transposed(targets);
  return {
    starts: { shape: [starts.length], data: starts },
    columns: { shape: [columns.length], data: columns },
    values: { shape: [weights.length], data: weights },
  };
}

/** Reads rows by history item back from an artifact's arrays, which are not trusted. @throws RangeError */
export function itemRowsOf(arrays: NamedArrays): WeightedRows {
  const starts = vectorOf(arrays, "starts", Uint32Array);
  const columns = vectorOf(arrays, "columns", Uint32Array);
  const weights = vectorOf(arrays, "values", Float32Array);
  const items = starts.length - 1;
  const ascending = starts.every((start, row) => row === 0 || start >= starts[row - 1]);
  if (items < 0 || starts[0] !== 0 || !ascending || starts[items] !== columns.length) {
    throw new RangeError(`sparse rows: expected starts that ascend from 0 to ${columns.length}`);
  }
  if (weights.length !== columns.length) {
    throw new RangeError(`sparse rows: expected ${columns.length} values, got ${weights.length}`);
  }
  const outside = columns.find((column) => column >= items);
  if (outside !== undefined) throw new RangeError(`sparse rows: column ${outside} is outside 0…${items - 1}`);
  return { rows: items, others: items, starts, columns, weights };
}
