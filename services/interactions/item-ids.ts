import { access } from "node:fs/promises";
import { PhasewiseError } from "../errors.ts";
import { withDuckDb } from "./duckdb.ts";
import { itemIdColumn } from "./import/catalogue-table.ts";
import { kindOfFile } from "./import/file-kind.ts";
import { NO_SETTINGS } from "./import/import-settings.ts";
import { readRows } from "./import/read-rows.ts";

/**
 * The item ids of a table with a header, Parquet or JSON, in the order of its rows: as texts, trimmed, an absent one
 * empty.
 * @throws INVALID_DATA when there is no such file, no column that could hold item ids, or a row that cannot be read
 */
export async function readItemIds(path: string): Promise<string[]> {
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (!there) throw refusal(path, "a file of item ids, got none; name one that exists");
  return withDuckDb(async (connection) => {
    const kind = await kindOfFile(connection, path, { ...NO_SETTINGS, layout: "table" });
    if (kind === null)
      throw refusal(
        path,
        "CSV with a header, Parquet or JSONL, got an empty file; give the item ids in one of these",
      );
    if (kind.kind === "lists" || kind.kind === "netflix") return [];
    const names = kind.kind === "csv" ? (kind.sample.rows[0] ?? []).map((name) => name.trim()) : kind.names;
    const column = itemIdColumn(names);
    if (column === undefined) {
      throw refusal(
        path,
        `a column itemId, got ${names.join(", ")}; give the column that holds the ids this header`,
      );
    }
    const ids: string[] = [];
    await readRows(connection, {
      path,
      kind,
      names,
      skip: kind.kind === "csv" ? 1 : 0,
      encoding: null,
      row: (row) => ids.push(row.text(column).trim()),
      broken: (line, text) => {
        throw refusal(
          path,
          `an item id in every row, got "${text}" in line ${line}; correct it, since ids go by position`,
        );
      },
    });
    return ids;
  });
}

const refusal = (path: string, expected: string): PhasewiseError =>
  new PhasewiseError("INVALID_DATA", `${path}: expected ${expected}`, { path });

/** What `readItemIds` reads back: a CSV of one column, itemId. */
export function itemIdsCsv(ids: readonly string[]): string {
  const rows = ids.map((id) => (/[",\r\n]/.test(id) ? `"${id.replaceAll('"', '""')}"` : id));
  return `itemId\n${rows.join("\n")}\n`;
}
