import type { DuckDBConnection } from "@duckdb/node-api";
import { rowsOf } from "./duckdb.ts";
import type { RejectionKind, Rejections } from "./rejections.ts";
import type { InteractionTable } from "./table.ts";

/** A row the scan could parse and we refuse; its line is known once the unparsed lines before it are. */
export interface RefusedRow {
  readonly row: number;
  readonly kind: RejectionKind;
  readonly column: string;
  readonly value: string;
}

export interface UnparsedLine {
  readonly line: number;
  readonly column: string;
  readonly kind: RejectionKind;
  readonly value: string;
}

/** Lines that the CSV scan itself could not read, in file order, one entry a line. */
export async function unparsedLines(
  connection: DuckDBConnection,
  table: InteractionTable,
): Promise<UnparsedLine[]> {
  const rows = await rowsOf<{
    line: string;
    column_name: string | null;
    column_idx: string;
    error_type: string;
    csv_line: string | null;
  }>(
    connection,
    `SELECT line, any_value(column_name) AS column_name, min(column_idx) AS column_idx,
       any_value(error_type) AS error_type, any_value(csv_line) AS csv_line
     FROM reject_errors WHERE scan_id = (SELECT max(scan_id) FROM reject_errors) GROUP BY line ORDER BY line`,
  );
  return rows.map((row) => {
    const cells = (row.csv_line ?? "").split(table.delimiter);
    const cast = row.error_type === "CAST";
    return {
      line: Number(row.line),
      column: row.column_name ?? "(all)",
      kind: cast ? "not-a-number" : "unreadable",
      value: cast ? (cells[Number(row.column_idx) - 1] ?? "") : (row.csv_line ?? ""),
    };
  });
}

/** Merges both kinds of refusal in file order, so that the examples shown are the first of the file. */
export function explainRefusals(
  refused: readonly RefusedRow[],
  unparsed: readonly UnparsedLine[],
  table: InteractionTable,
  rejections: Rejections,
): void {
  let next = 0;
  for (const { row, kind, column, value } of refused) {
    while (next < unparsed.length && unparsed[next].line <= table.headerLines + row + 1 + next) {
      const { line, kind: why, column: where, value: what } = unparsed[next++];
      rejections.add(why, line, where, what);
    }
    rejections.add(kind, table.headerLines + row + 1 + next, column, value);
  }
  for (const { line, kind, column, value } of unparsed.slice(next)) rejections.add(kind, line, column, value);
}
