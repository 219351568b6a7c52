/** Which column of a file plays which part. Names are the file's own, or c0, c1, … when it has no header. */
export interface Roles {
  readonly user: string;
  readonly item: string;
  readonly rating?: string | undefined;
  readonly timestamp?: string | undefined;
}

export type TimeUnit = "seconds" | "milliseconds" | "text";

/** A file of interactions, and how to read it. */
export interface InteractionTable {
  readonly path: string;
  readonly format: "csv" | "parquet" | "jsonl";
  /** CSV only. */
  readonly delimiter: string;
  /** CSV only: lines before the first event. */
  readonly headerLines: 0 | 1;
  /** Every column in file order. */
  readonly columns: readonly string[];
  readonly roles: Roles;
  /** Integer ids are read as numbers, which is much faster than text. */
  readonly integerIds: boolean;
  readonly timeUnit: TimeUnit;
  /** Events, estimated from the file's size; for progress only. */
  readonly estimatedRows: number;
}

/** SQL text literal. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
/** SQL identifier. */
export const named = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Most rejected cells that DuckDB remembers; a file with more is refused whatever its size. */
export const MAX_REJECTED_CELLS = 1_000_000;

export type ColumnType = "DOUBLE" | "VARCHAR";

/** The FROM clause that reads a table with the given type for each column. */
export function scan(
  table: Pick<InteractionTable, "path" | "format" | "delimiter" | "headerLines" | "columns">,
  typeOf: (column: string) => ColumnType,
): string {
  const path = quoted(table.path);
  const columns = table.columns.map((column) => `${quoted(column)}: '${typeOf(column)}'`).join(", ");
  switch (table.format) {
    case "parquet":
      return `read_parquet(${path})`;
    case "jsonl":
      return `read_json(${path}, format = 'newline_delimited', ignore_errors = true, columns = {${columns}})`;
    case "csv": {
      const quote = table.delimiter === "," || table.delimiter === ";" ? '"' : "";
      return `read_csv(${path}, auto_detect = false, header = false, skip = ${table.headerLines},
        delim = ${quoted(table.delimiter)}, quote = ${quoted(quote)}, escape = ${quoted(quote)},
        store_rejects = true, rejects_limit = ${MAX_REJECTED_CELLS}, columns = {${columns}})`;
    }
  }
}
