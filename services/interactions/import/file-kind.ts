import { open } from "node:fs/promises";
import type { DuckDBConnection } from "@duckdb/node-api";
import { rowsOf } from "../duckdb.ts";
import { quoted } from "../sql.ts";
import type { Dialect } from "./csv-reader.ts";
import { isLists, shapeOf } from "./dialect.ts";
import type { ImportSettings } from "./import-settings.ts";
import { cellText, isObjectPerLine, type JsonObject, JsonObjects, looksLikeJson } from "./json-objects.ts";
import { isParquet } from "./packing.ts";
import { type Reading, sampleOf } from "./text-pieces.ts";

/** How a file is written, and the first of its rows as texts. */
export type FileKind =
  | { readonly kind: "csv"; readonly dialect: Dialect; readonly width: number; readonly sample: Sample }
  | {
      readonly kind: "json";
      readonly perLine: boolean;
      readonly names: readonly string[];
      readonly sample: Sample;
    }
  | {
      readonly kind: "parquet";
      readonly names: readonly string[];
      readonly sample: Sample;
      readonly rowCount: number;
    }
  | { readonly kind: "lists"; readonly sample: Sample }
  | { readonly kind: "netflix"; readonly sample: Sample };

export interface Sample {
  readonly rows: readonly (readonly string[])[];
  /** Rows a byte of the file, roughly. */
  readonly bytes: number;
  readonly whole: boolean;
  readonly reading: Reading;
}

const SAMPLE_BYTES = 1 << 18;
const SAMPLE_ROWS = 10_000;

/** Looks into a file: by its content, never by its name. Null for one that holds nothing. */
export async function kindOfFile(
  connection: DuckDBConnection,
  path: string,
  settings: ImportSettings,
): Promise<FileKind | null> {
  if (isParquet(await head(path))) return parquetKind(connection, path);
  const { text, whole, reading } = await sampleOf(path, settings.encoding, SAMPLE_BYTES);
  if (text.length === 0 || text.toString("latin1").trim() === "") return null;
  const sample = (rows: readonly (readonly string[])[]): Sample => ({
    rows,
    bytes: text.length,
    whole,
    reading,
  });
  if (settings.layout === "netflix" || (settings.layout === null && isNetflix(text))) {
    return { kind: "netflix", sample: sample([]) };
  }
  if (
    settings.layout === "lists" ||
    (settings.layout === null && settings.delimiter === null && isLists(text, whole))
  ) {
    return { kind: "lists", sample: sample([]) };
  }
  if (looksLikeJson(text)) {
    const { names, rows, perLine } = jsonSample(text);
    return { kind: "json", perLine, names, sample: sample(rows) };
  }
  const { dialect, width, rows } = shapeOf(text, whole, settings.delimiter);
  return { kind: "csv", dialect, width, sample: sample(rows) };
}

async function head(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Blocks of "17:" and, under each, user,rating,date. */
const isNetflix = (text: Buffer): boolean =>
  /^\s*\d+:\r?\n\d+,\d,\d{4}-\d\d-\d\d/.test(text.toString("latin1", 0, 200));

function jsonSample(text: Buffer): { names: string[]; rows: string[][]; perLine: boolean } {
  const perLine = isObjectPerLine(text);
  const objects: [JsonObject, string][] = [];
  new JsonObjects(perLine).feed(
    text,
    true,
    (object, source) => objects.push([object, source]),
    () => {},
  );
  const names = [...new Set(objects.slice(0, SAMPLE_ROWS).flatMap(([object]) => Object.keys(object)))];
  const rows = objects.map(([object, source]) => names.map((name) => cellText(object, name, source)));
  return { names, rows, perLine };
}

async function parquetKind(connection: DuckDBConnection, path: string): Promise<FileKind> {
  const from = parquetScan(path);
  const columns = await rowsOf<{ column_name: string; column_type: string }>(
    connection,
    `DESCRIBE SELECT * FROM ${from}`,
  );
  const names = columns.map((column) => column.column_name);
  const texts = columns.map(({ column_name, column_type }) => textOf(column_name, column_type));
  const found = await rowsOf<Record<string, string | null>>(
    connection,
    `SELECT ${texts.map((text, column) => `${text} AS c${column}`).join(", ")} FROM ${from} LIMIT ${SAMPLE_ROWS}`,
  );
  const rows = found.map((row) => names.map((_, column) => row[`c${column}`] ?? ""));
  const [{ count }] = await rowsOf<{ count: string }>(
    connection,
    `SELECT count(*)::VARCHAR AS count FROM ${from}`,
  );
  const reading: Reading = { encoding: "Parquet", foreignLines: 0, bytesRead: 0 };
  return {
    kind: "parquet",
    names,
    sample: { rows, bytes: 0, whole: false, reading },
    rowCount: Number(count),
  };
}

/** Older writers leave texts as bare bytes. */
export const parquetScan = (path: string): string =>
  `read_parquet(${quoted(path)}, binary_as_string = true, hive_partitioning = false)`;

/** A cell as text: times as epoch milliseconds, so that no zone and no format stands between. */
export function textOf(name: string, type: string): string {
  const column = `"${name.replaceAll('"', '""')}"`;
  if (type === "DATE") return `CAST(epoch_ms(CAST(${column} AS TIMESTAMP)) AS VARCHAR)`;
  if (type.startsWith("TIMESTAMP")) return `CAST(epoch_ms(${column}) AS VARCHAR)`;
  if (/^(STRUCT|MAP|.*\[\])/.test(type)) return `CAST(to_json(${column}) AS VARCHAR)`;
  return `CAST(${column} AS VARCHAR)`;
}
