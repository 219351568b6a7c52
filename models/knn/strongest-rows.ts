import type { WeightedRows } from "../data/sparse-rows.ts";
import { Arena } from "../kernels/arena.ts";
import { instantiate, kernelModule } from "../kernels/wasm.ts";

/** Possible entries of one row; both arrays may be longer than `count`, and are read before the next row is asked for. */
export interface Candidates {
  readonly columns: Uint32Array;
  readonly values: Float32Array;
  readonly count: number;
}

/**
 * Rows (items × items) that keep, of what `candidatesOf` names for each item in order, the k entries of largest
 * magnitude: zeros left out, ties to the candidate named first.
 */
export function strongestRows(
  items: number,
  k: number,
  candidatesOf: (item: number) => Candidates,
): WeightedRows {
  const arena = new Arena();
  const { topK } = instantiate(kernelModule(), arena.memory);
  const most = Math.min(k, items);
  const magnitudes = arena.floats(items);
  const places = arena.words(most);
  const starts = new Uint32Array(items + 1);
  const keptColumns: Uint32Array[] = [];
  const keptValues: Float32Array[] = [];
  for (let item = 0; item < items; item++) {
    const { columns, values, count } = candidatesOf(item);
    for (let place = 0; place < count; place++) magnitudes[place] = Math.abs(values[place]);
    let held = topK(magnitudes.byteOffset, count, most, places.byteOffset);
    while (held > 0 && magnitudes[places[held - 1]] === 0) held--;
    const rowColumns = new Uint32Array(held);
    const rowValues = new Float32Array(held);
    for (let place = 0; place < held; place++) {
      rowColumns[place] = columns[places[place]];
      rowValues[place] = values[places[place]];
    }
    keptColumns.push(rowColumns);
    keptValues.push(rowValues);
    starts[item + 1] = starts[item] + held;
  }
  const columns = new Uint32Array(starts[items]);
  const weights = new Float32Array(starts[items]);
  for (let item = 0; item < items; item++) {
    columns.set(keptColumns[item], starts[item]);
    weights.set(keptValues[item], starts[item]);
  }
  return { rows: items, others: items, starts, columns, weights };
}
