import { open, stat } from "node:fs/promises";
import { extname } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { PhasewiseError } from "../errors.ts";
import { rowsOf } from "./duckdb.ts";
import { type InteractionTable, named, type Roles, scan, type TimeUnit } from "./table.ts";

/** Spellings a column may have, compared in lower case without "_", "-" and spaces. */
const SPELLINGS = {
  user: ["userid", "user", "uid", "customerid", "visitorid", "sessionid"],
  item: ["itemid", "movieid", "item", "movie", "iid", "productid", "filmid"],
  rating: ["rating", "score", "weight", "value"],
  timestamp: ["timestamp", "time", "ts", "date", "datetime", "unixtimestamp", "eventtime"],
} as const;

/** Rows looked at to tell integer ids and time units. */
const SAMPLE_ROWS = 1_000;
const SAMPLE_BYTES = 65_536;
/** Epoch seconds stay below this until the year 5138; epoch milliseconds passed it in 1973. */
const FIRST_MILLISECONDS = 1e11;

const normalised = (name: string): string => name.toLowerCase().replaceAll(/[\s_"-]/g, "");

export function roleOf(name: string): keyof typeof SPELLINGS | undefined {
  for (const [role, spellings] of Object.entries(SPELLINGS)) {
    if ((spellings as readonly string[]).includes(normalised(name))) return role as keyof typeof SPELLINGS;
  }
  return undefined;
}

/** Works out format, columns, id type and time unit of one file of interactions. */
export async function detectTable(connection: DuckDBConnection, path: string): Promise<InteractionTable> {
  const { size } = await stat(path);
  if (size === 0) throw emptyFile(path);
  const format = formatOf(path);
  const shape = format === "csv" ? await csvShape(path, size) : await columnarShape(connection, path, format);
  const untyped = { path, format, ...shape };
  return { ...untyped, ...(await sampleTypes(connection, untyped)) };
}

function formatOf(path: string): InteractionTable["format"] {
  const extension = extname(path).toLowerCase();
  if (extension === ".parquet" || extension === ".pq") return "parquet";
  if (extension === ".jsonl" || extension === ".ndjson") return "jsonl";
  return "csv";
}

export const emptyFile = (path: string): PhasewiseError =>
  new PhasewiseError(
    "INVALID_DATA",
    `${path}: expected at least one interaction, got an empty file; bring a file with rows userId,itemId[,rating][,timestamp]`,
    { path },
  );

type Shape = Pick<InteractionTable, "delimiter" | "headerLines" | "columns" | "roles" | "estimatedRows">;

async function csvShape(path: string, size: number): Promise<Shape> {
  const file = await open(path);
  const buffer = Buffer.alloc(Math.min(size, SAMPLE_BYTES));
  try {
    await file.read(buffer, 0, buffer.length, 0);
  } finally {
    await file.close();
  }
  const text = buffer.toString("latin1").replace(/^\u00ef\u00bb\u00bf/, "");
  const lines = text.split(/\r?\n/);
  const first = lines[0];
  const delimiter = ["::", "\t", ";", ",", "|"].find((candidate) => first.includes(candidate)) ?? ",";
  const cells = first.split(delimiter).map((cell) => cell.trim().replaceAll('"', ""));
  const estimatedRows = Math.max(1, Math.round((size / buffer.length) * (lines.length - 1)));
  if (cells.some((cell) => roleOf(cell) !== undefined)) {
    if (lines.slice(1).every((line) => line.trim() === "") && size <= SAMPLE_BYTES) throw emptyFile(path);
    return { delimiter, headerLines: 1, columns: cells, roles: rolesByName(path, cells), estimatedRows };
  }
  const columns = cells.map((_, index) => `c${index}`);
  return { delimiter, headerLines: 0, columns, roles: rolesByPosition(path, cells), estimatedRows };
}

function rolesByName(path: string, columns: readonly string[]): Roles {
  const column = (role: keyof typeof SPELLINGS): string | undefined =>
    columns.find((name) => roleOf(name) === role);
  const user = column("user");
  const item = column("item");
  if (user === undefined || item === undefined) {
    const missing = user === undefined ? "userId" : "itemId (or movieId)";
    throw new PhasewiseError(
      "INVALID_DATA",
      `${path}: expected a column ${missing}, got ${columns.join(", ")}; rename the column that holds it`,
      { path, columns },
    );
  }
  return { user, item, rating: column("rating"), timestamp: column("timestamp") };
}

/** Without a header: userId, itemId[, rating][, timestamp]; a lone third number beyond any rating is a time. */
function rolesByPosition(path: string, cells: readonly string[]): Roles {
  if (cells.length < 2 || cells.length > 4) {
    throw new PhasewiseError(
      "INVALID_DATA",
      `${path}: expected 2 to 4 columns userId,itemId[,rating][,timestamp] or a header that names them, got ${cells.length}: "${cells.join(", ").slice(0, 80)}"`,
      { path, line: 1 },
    );
  }
  const thirdIsTime = cells.length === 3 && (Number(cells[2]) > 1e6 || /^\d{4}-\d\d/.test(cells[2]));
  return {
    user: "c0",
    item: "c1",
    rating: cells.length > 2 && !thirdIsTime ? "c2" : undefined,
    timestamp: cells.length === 4 ? "c3" : thirdIsTime ? "c2" : undefined,
  };
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
  return { delimiter: "", headerLines: 0, columns, roles: rolesByName(path, columns), estimatedRows };
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
