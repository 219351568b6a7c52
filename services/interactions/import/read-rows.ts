import type { DuckDBConnection } from "@duckdb/node-api";
import { rowsOf } from "../duckdb.ts";
import { named } from "../sql.ts";
import { CsvReader } from "./csv-reader.ts";
import type { Row } from "./event-sink.ts";
import { type FileKind, parquetScan, textOf } from "./file-kind.ts";
import { cellText, JsonObjects } from "./json-objects.ts";
import { NetflixLines } from "./netflix.ts";
import { newReading, type Reading, textPieces } from "./text-pieces.ts";
import { TextRow } from "./text-row.ts";

export interface RowsRead {
  readonly path: string;
  readonly kind: FileKind;
  /** Names of the columns wanted, in the order of the cells (JSON and Parquet). */
  readonly names: readonly string[];
  /** First rows that are no rows: a header. */
  readonly skip: number;
  readonly encoding: string | null;
  readonly row: (row: Row) => void;
  readonly broken: (line: number, text: string) => void;
  /** Called now and then. */
  readonly onPiece?: ((reading: Reading) => void) | undefined;
}

const EMPTY = Buffer.alloc(0);

/** Streams the rows of a file, in file order, whatever it is written in. */
export async function readRows(connection: DuckDBConnection, wanted: RowsRead): Promise<Reading> {
  const { kind } = wanted;
  if (kind.kind === "parquet") return readParquet(connection, wanted);
  const reading = newReading();
  const feed = feederOf(wanted);
  for await (const piece of textPieces(wanted.path, wanted.encoding, reading)) {
    feed(piece, false);
    wanted.onPiece?.(reading);
  }
  feed(EMPTY, true);
  return reading;
}

function feederOf(wanted: RowsRead): (piece: Buffer, last: boolean) => void {
  const { kind, broken } = wanted;
  switch (kind.kind) {
    case "csv": {
      const reader = new CsvReader(kind.dialect, kind.width);
      let left = wanted.skip;
      const row = (): void => (left > 0 ? void left-- : wanted.row(reader));
      // A header may have a name less than there are columns.
      const unfit = (line: number, _cells: number, text: string): void =>
        left > 0 ? void left-- : broken(line, text);
      return (piece, last) => reader.feed(piece, last, row, unfit);
    }
    case "json": {
      const objects = new JsonObjects(kind.perLine);
      const row = new TextRow();
      const { names } = wanted;
      return (piece, last) =>
        objects.feed(
          piece,
          last,
          (object, source) => {
            row.set(
              names.map((name) => cellText(object, name, source)),
              objects.line,
            );
            wanted.row(row);
          },
          broken,
        );
    }
    case "netflix": {
      const lines = new NetflixLines();
      return (piece, last) => lines.feed(piece, last, wanted.row, broken);
    }
    default:
      return listFeeder(wanted);
  }
}

/** A line a user: the user's id, then those of the items. */
function listFeeder({ row, broken }: RowsRead): (piece: Buffer, last: boolean) => void {
  const reader = new CsvReader({ delimiter: " ", backslash: false }, null);
  const event = new TextRow();
  return (piece, last) =>
    reader.feed(
      piece,
      last,
      () => {
        const [user, ...items] = reader.texts();
        for (const item of items) {
          event.set([user, item], reader.line);
          row(event);
        }
      },
      (line, _cells, text) => broken(line, text),
    );
}

/** Rows of a Parquet file are numbered from 1. */
async function readParquet(connection: DuckDBConnection, wanted: RowsRead): Promise<Reading> {
  const { path, names, row, onPiece } = wanted;
  const from = parquetScan(path);
  const types = await rowsOf<{ column_name: string; column_type: string }>(
    connection,
    `DESCRIBE SELECT * FROM ${from}`,
  );
  const typeOf = new Map(types.map((column) => [column.column_name, column.column_type]));
  const texts = names.map(
    (name) => `COALESCE(${textOf(name, typeOf.get(name) ?? "VARCHAR")}, '') AS ${named(name)}`,
  );
  const result = await connection.stream(`SELECT ${texts.join(", ")} FROM ${from}`);
  const reading: Reading = { encoding: "Parquet", foreignLines: 0, bytesRead: 0 };
  const event = new TextRow();
  const cells: string[] = [];
  let line = 0;
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return reading;
    const vectors = names.map((_, column) => chunk.getColumnVector(column));
    for (let at = 0; at < chunk.rowCount; at++) {
      for (let column = 0; column < vectors.length; column++)
        cells[column] = String(vectors[column].getItem(at));
      event.set(cells, ++line);
      row(event);
    }
    onPiece?.(reading);
  }
}
