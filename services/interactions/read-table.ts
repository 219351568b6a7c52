import type { DuckDBConnection } from "@duckdb/node-api";
import { type EventColumns, emptyColumns, reserve } from "../../models/data/event-columns.ts";
import { ChunkAppender, integerReader, textReader } from "./chunk-appender.ts";
import { integerInterner, textInterner } from "./id-interner.ts";
import { explainRefusals, unparsedLines } from "./refused-rows.ts";
import type { Rejections } from "./rejections.ts";
import { type InteractionTable, named, scan } from "./table.ts";

/** Rows between two progress calls. */
const PROGRESS_ROWS = 500_000;

export interface ReadOptions {
  /** Epoch milliseconds; later events are out of range. */
  readonly latest: number;
  readonly onRows?: ((rows: number) => void) | undefined;
}

export interface ReadResult {
  readonly columns: EventColumns;
  readonly userIds: string[];
  readonly itemIds: string[];
  /** Rows in the file, accepted or not. */
  readonly totalRows: number;
}

/** Streams a table in file order into typed arrays; refused rows go to `rejections`. */
export async function readTable(
  connection: DuckDBConnection,
  table: InteractionTable,
  rejections: Rejections,
  options: ReadOptions,
): Promise<ReadResult> {
  const result = await connection.stream(selection(table));
  const columns = emptyColumns(Math.ceil(table.estimatedRows * 1.1) + 2048);
  const { users, items, appender } = appenderFor(table, options.latest);
  let streamed = 0;
  let announced = 0;
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    reserve(columns, chunk.rowCount);
    appender.append(chunk, streamed, columns);
    streamed += chunk.rowCount;
    if (streamed - announced >= PROGRESS_ROWS) {
      announced = streamed;
      options.onRows?.(streamed);
    }
  }
  const unparsed = table.format === "csv" ? await unparsedLines(connection, table) : [];
  explainRefusals(appender.refused, unparsed, table, rejections);
  options.onRows?.(streamed + unparsed.length);
  return {
    columns,
    userIds: users.texts(),
    itemIds: items.texts(),
    totalRows: streamed + unparsed.length,
  };
}

function appenderFor(table: InteractionTable, latest: number) {
  if (table.integerIds) {
    const [users, items] = [integerInterner(), integerInterner()];
    return {
      users,
      items,
      appender: new ChunkAppender(table, latest, integerReader(users), integerReader(items)),
    };
  }
  const [users, items] = [textInterner(), textInterner()];
  return { users, items, appender: new ChunkAppender(table, latest, textReader(users), textReader(items)) };
}

/** NULL cells become NaN (numbers) or '' (ids), so that no validity mask has to be consulted a row. */
function selection(table: InteractionTable): string {
  const { user, item, rating, timestamp } = table.roles;
  const number = (column: string): string => `COALESCE(TRY_CAST(${named(column)} AS DOUBLE), 'nan'::DOUBLE)`;
  const id = (column: string): string =>
    table.integerIds ? number(column) : `COALESCE(TRIM(CAST(${named(column)} AS VARCHAR)), '')`;
  const text = timestamp === undefined ? "" : `CAST(${named(timestamp)} AS VARCHAR)`;
  const time =
    timestamp === undefined
      ? "0::DOUBLE"
      : table.timeUnit === "text"
        ? // A time without an offset is UTC; DuckDB alone would take the machine's zone for TIMESTAMPTZ.
          `COALESCE(CASE WHEN regexp_matches(${text}, ':.*([zZ]|[+-][0-9]{2}(:?[0-9]{2})?)$')
             THEN epoch_ms(TRY_CAST(${text} AS TIMESTAMPTZ)) ELSE epoch_ms(TRY_CAST(${text} AS TIMESTAMP)) END::DOUBLE,
             'nan'::DOUBLE)`
        : `${number(timestamp)}${table.timeUnit === "seconds" ? " * 1000" : ""}`;
  const weight = rating === undefined ? "1::FLOAT" : `${number(rating)}::FLOAT`;
  const numeric = new Set([
    ...(table.integerIds ? [user, item] : []),
    ...(rating === undefined ? [] : [rating]),
    ...(timestamp === undefined || table.timeUnit === "text" ? [] : [timestamp]),
  ]);
  const from = scan(table, (column) => (numeric.has(column) ? "DOUBLE" : "VARCHAR"));
  return `SELECT ${id(user)}, ${id(item)}, ${weight}, ${time} FROM ${from}`;
}
