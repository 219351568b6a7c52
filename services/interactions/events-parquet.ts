import { DOUBLE, DuckDBDataChunk, FLOAT, UINTEGER } from "@duckdb/node-api";
import type { InteractionLog } from "../../models/data/interaction-log.ts";
import { withDuckDb } from "./duckdb.ts";
import { quoted } from "./sql.ts";
import { numbersOf } from "./vector-numbers.ts";

type EventArrays = Pick<InteractionLog, "userIndex" | "itemIndex" | "timestamps" | "weights">;

/** Rows of one DuckDB vector. */
const CHUNK_ROWS = 2048;

/** Writes the four columns in order; ids are dense indices into the vocabularies kept beside the file. */
export async function writeEventsParquet(events: EventArrays, path: string): Promise<void> {
  await withDuckDb(async (connection) => {
    await connection.run(
      "CREATE TABLE events (userIndex UINTEGER, itemIndex UINTEGER, timestamp DOUBLE, weight FLOAT)",
    );
    const appender = await connection.createAppender("events");
    const chunk = DuckDBDataChunk.create([UINTEGER, UINTEGER, DOUBLE, FLOAT]);
    const columns = [events.userIndex, events.itemIndex, events.timestamps, events.weights];
    for (let start = 0; start < events.timestamps.length; start += CHUNK_ROWS) {
      const end = Math.min(start + CHUNK_ROWS, events.timestamps.length);
      chunk.reset();
      chunk.rowCount = end - start;
      columns.forEach((column, index) => {
        const vector = chunk.getColumnVector(index);
        numbersOf(vector).set(column.subarray(start, end));
        vector.flush();
      });
      appender.appendDataChunk(chunk);
    }
    appender.closeSync();
    await connection.run(`COPY events TO ${quoted(path)} (FORMAT parquet, COMPRESSION zstd)`);
  });
}

/** @throws when the file is no Parquet file of exactly `rows` events */
export async function readEventsParquet(path: string, rows: number): Promise<EventArrays> {
  return withDuckDb(async (connection) => {
    const userIndex = new Uint32Array(rows);
    const itemIndex = new Uint32Array(rows);
    const timestamps = new Float64Array(rows);
    const weights = new Float32Array(rows);
    const result = await connection.stream(
      `SELECT userIndex, itemIndex, timestamp, weight FROM read_parquet(${quoted(path)}, hive_partitioning = false)`,
    );
    let read = 0;
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) break;
      if (read + chunk.rowCount > rows) throw new RangeError(`${path}: expected ${rows} events, got more`);
      [userIndex, itemIndex, timestamps, weights].forEach((column, index) => {
        column.set(numbersOf(chunk.getColumnVector(index)).subarray(0, chunk.rowCount), read);
      });
      read += chunk.rowCount;
    }
    if (read !== rows) throw new RangeError(`${path}: expected ${rows} events, got ${read}`);
    return { userIndex, itemIndex, timestamps, weights };
  });
}
