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
  /** `lists`: a line a user, the user's id and then those of the items, between spaces. */
  readonly format: "csv" | "parquet" | "jsonl" | "lists";
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

/** Longest line of a list: some two million items of one user. */
const MAX_LINE_BYTES = 1 << 24;

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
    case "lists":
      return `(SELECT tokens[1] AS "user", unnest(tokens[2:]) AS item FROM (
        SELECT string_split_regex(trim(line), '\\s+') AS tokens FROM read_csv(${path}, auto_detect = false,
        header = false, delim = '\x1f', quote = '', escape = '', max_line_size = ${MAX_LINE_BYTES}, columns = {line: 'VARCHAR'})))`;
    case "csv": {
      const quote = table.delimiter === "," || table.delimiter === ";" ? '"' : "";
      return `read_csv(${path}, auto_detect = false, header = false, skip = ${table.headerLines},
        delim = ${quoted(table.delimiter)}, quote = ${quoted(quote)}, escape = ${quoted(quote)},
        store_rejects = true, rejects_limit = ${MAX_REJECTED_CELLS}, columns = {${columns}})`;
    }
  }
}
