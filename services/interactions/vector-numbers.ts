import type { DuckDBVector } from "@duckdb/node-api";

/**
 * The numbers of a vector without a copy or an object a row. The library keeps this array to itself in its
 * types, so its presence is checked.
 */
export function numbersOf(vector: DuckDBVector): Float64Array | Float32Array | Uint32Array {
  const items: unknown = Reflect.get(vector, "items");
  if (items instanceof Float64Array || items instanceof Float32Array || items instanceof Uint32Array)
    return items;
  throw new TypeError(`DuckDB: expected a vector of numbers, got ${vector.type}`);
}
