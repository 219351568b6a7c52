import { access, open } from "node:fs/promises";
import { PhasewiseError } from "../errors.ts";
import { ID_COLUMNS } from "./catalogue.ts";
import { rowsOf, withDuckDb } from "./duckdb.ts";
import { named, quoted } from "./table.ts";

/**
 * The item ids of a CSV (with a header), Parquet or JSONL file, in the order of its rows: as texts, trimmed, an absent
 * one empty.
 * @throws INVALID_DATA when there is no such file or no column that could hold item ids
 */
export async function readItemIds(path: string): Promise<string[]> {
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (!there) {
    throw new PhasewiseError(
      "INVALID_DATA",
      `${path}: expected a file of item ids, got none; name one that exists`,
    );
  }
  const from = path.endsWith(".parquet")
    ? `read_parquet(${quoted(path)})`
    : /\.(jsonl|ndjson)$/.test(path)
      ? `read_json(${quoted(path)}, format = 'newline_delimited')`
      : `read_csv(${quoted(path)}, header = true, all_varchar = true, delim = ${quoted(await delimiterOf(path))}, quote = '"', escape = '"')`;
  return withDuckDb(async (connection) => {
    const described = await rowsOf<{ column_name: string }>(
      connection,
      `DESCRIBE SELECT * FROM ${from}`,
    ).catch((error: unknown) => {
      const [reason] = String((error as Error).message).split("\n");
      throw new PhasewiseError(
        "INVALID_DATA",
        `${path}: expected CSV with a header, Parquet or JSONL, got: ${reason}; give the item ids in one of these`,
        { path },
        error,
      );
    });
    const names = described.map((row) => row.column_name);
    const id = names.find((name) => ID_COLUMNS.includes(name.toLowerCase().replaceAll(/[\s_-]/g, "")));
    if (id === undefined) {
      throw new PhasewiseError(
        "INVALID_DATA",
        `${path}: expected a column itemId, got ${names.join(", ")}; give the column that holds the ids this header`,
        { path, columns: names },
      );
    }
    const rows = await rowsOf<{ id: string | null }>(
      connection,
      `SELECT TRIM(CAST(${named(id)} AS VARCHAR)) AS id FROM ${from}`,
    );
    return rows.map((row) => row.id ?? "");
  });
}

const HEADER_BYTES = 65_536;

/** Of the header: in a file of one column, what looks like a delimiter is part of an id. */
async function delimiterOf(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    const [header] = buffer.toString("latin1", 0, bytesRead).split(/\r?\n/);
    return ["\t", ";", ",", "|"].find((candidate) => header.includes(candidate)) ?? ",";
  } finally {
    await file.close();
  }
}

/** What `readItemIds` reads back: a CSV of one column, itemId. */
export function itemIdsCsv(ids: readonly string[]): string {
  const rows = ids.map((id) => (/[",\r\n]/.test(id) ? `"${id.replaceAll('"', '""')}"` : id));
  return `itemId\n${rows.join("\n")}\n`;
}
