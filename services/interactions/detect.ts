import { stat } from "node:fs/promises";
import { extname } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { PhasewiseError } from "../errors.ts";
import { roleOf, rolesByName, rolesByPosition } from "./column-roles.ts";
import { rowsOf } from "./duckdb.ts";
import { type InteractionTable, named, scan, type TimeUnit } from "./table.ts";
import { sampleText } from "./text-sample.ts";

/** Rows looked at to tell integer ids and time units. */
const SAMPLE_ROWS = 1_000;
/** What may stand between two cells, the first that occurs in the first line. */
const DELIMITERS = ["::", "\t", ";", ",", "|", " "];
/** A list of items a user has no names for its columns. */
const LIST_COLUMNS = { columns: ["user", "item"], roles: { user: "user", item: "item" } } as const;
/** Epoch seconds stay below this until the year 5138; epoch milliseconds passed it in 1973. */
const FIRST_MILLISECONDS = 1e11;

/** Works out format, columns, id type and time unit of one file of interactions. */
export async function detectTable(connection: DuckDBConnection, path: string): Promise<InteractionTable> {
  const { size } = await stat(path);
  if (size === 0) throw emptyFile(path);
  const format = formatOf(path);
  const shape =
    format === "text" ? await textShape(path, size) : await columnarShape(connection, path, format);
  const untyped = { path, ...shape };
  return { ...untyped, ...(await sampleTypes(connection, untyped)) };
}

/** The format that the name tells; text is looked into. */
function formatOf(path: string): "parquet" | "jsonl" | "text" {
  const extension = extname(path.replace(/\.gz$/i, "")).toLowerCase();
  if (extension === ".parquet" || extension === ".pq") return "parquet";
  return [".jsonl", ".ndjson", ".json"].includes(extension) ? "jsonl" : "text";
}

export const emptyFile = (path: string): PhasewiseError =>
  new PhasewiseError(
    "INVALID_DATA",
    `${path}: expected at least one interaction, got an empty file; bring a file with rows userId,itemId[,rating][,timestamp]`,
    { path },
  );

type Shape = Pick<
  InteractionTable,
  "format" | "delimiter" | "headerLines" | "columns" | "roles" | "estimatedRows"
>;

async function textShape(path: string, size: number): Promise<Shape> {
  const sample = await sampleText(path, size);
  const lines = sample.text.split(/\r?\n/);
  const [first] = lines;
  const delimiter = DELIMITERS.find((candidate) => first.trim().includes(candidate)) ?? ",";
  const estimatedRows = Math.max(1, Math.round((lines.length - 1) / sample.share));
  if (delimiter === " " && isLists(sample.whole ? lines : lines.slice(0, -1))) {
    const ids = Math.round(sample.text.split(" ").length / sample.share);
    return { format: "lists", delimiter, headerLines: 0, ...LIST_COLUMNS, estimatedRows: ids };
  }
  const cells = first.split(delimiter).map((cell) => cell.trim().replaceAll('"', ""));
  if (cells.some((cell) => roleOf(cell) !== undefined)) {
    if (sample.whole && lines.slice(1).every((line) => line.trim() === "")) throw emptyFile(path);
    // Tables written with a column of row numbers leave its name out.
    const columns = cells.map((cell, index) => (cell === "" ? `c${index}` : cell));
    const roles = rolesByName(path, columns);
    return { format: "csv", delimiter, headerLines: 1, columns, roles, estimatedRows };
  }
  const columns = cells.map((_, index) => `c${index}`);
  const roles = rolesByPosition(path, cells);
  return { format: "csv", delimiter, headerLines: 0, columns, roles, estimatedRows };
}

/** Whether lines of whole numbers are one user each with any number of items, rather than one event each. */
function isLists(lines: readonly string[]): boolean {
  const rows = lines.map((line) => line.trim()).filter((line) => line !== "");
  const lengths = new Set(rows.map((row) => row.split(" ").length));
  return rows.every((row) => /^\d+( +\d+)*$/.test(row)) && (lengths.size > 1 || Math.max(...lengths) > 4);
}

async function columnarShape(
  connection: DuckDBConnection,
  path: string,
  format: "parquet" | "jsonl",
): Promise<Shape> {
  const { size } = await stat(path);
  const from =
    format === "parquet"
      ? `read_parquet('${path.replaceAll("'", "''")}')`
      : `read_json('${path.replaceAll("'", "''")}', format = 'newline_delimited', ignore_errors = true)`;
  const described = await rowsOf<{ column_name: string }>(connection, `DESCRIBE SELECT * FROM ${from}`);
  const columns = described.map((row) => row.column_name);
  const estimatedRows = Math.max(1, Math.round(size / (format === "parquet" ? 8 : 70)));
  return { format, delimiter: "", headerLines: 0, columns, roles: rolesByName(path, columns), estimatedRows };
}

async function sampleTypes(
  connection: DuckDBConnection,
  table: Omit<InteractionTable, "integerIds" | "timeUnit">,
): Promise<Pick<InteractionTable, "integerIds" | "timeUnit">> {
  const { user, item, timestamp } = table.roles;
  const time = timestamp === undefined ? "NULL" : `CAST(${named(timestamp)} AS VARCHAR)`;
  const sample = await rowsOf<{ user: string | null; item: string | null; time: string | null }>(
    connection,
    `SELECT CAST(${named(user)} AS VARCHAR) AS "user", CAST(${named(item)} AS VARCHAR) AS item, ${time} AS time
     FROM ${scan(table, () => "VARCHAR")} LIMIT ${SAMPLE_ROWS}`,
  );
  const canonical = (id: string | null): boolean => id !== null && /^(0|[1-9]\d{0,14})$/.test(id.trim());
  const integers = sample.filter((row) => canonical(row.user) && canonical(row.item)).length;
  return { integerIds: integers > sample.length / 2, timeUnit: timeUnitOf(sample.map((row) => row.time)) };
}

/** By the middle value, so that one broken cell cannot change the unit of a whole file. */
function timeUnitOf(times: readonly (string | null)[]): TimeUnit {
  const numbers = times.map((time) => (time === null || time.trim() === "" ? Number.NaN : Number(time)));
  const finite = numbers.filter(Number.isFinite).sort((a, b) => a - b);
  if (finite.length * 2 < times.filter((time) => time !== null).length) return "text";
  const middle = finite[finite.length >> 1] ?? 0;
  return middle >= FIRST_MILLISECONDS ? "milliseconds" : "seconds";
}
