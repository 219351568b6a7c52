import { stat } from "node:fs/promises";
import type { DuckDBConnection } from "@duckdb/node-api";
import { PhasewiseError } from "../../errors.ts";
import { type Columns, columnsOf } from "./columns.ts";
import { EventSink, type SinkOptions } from "./event-sink.ts";
import { type FileKind, kindOfFile } from "./file-kind.ts";
import type { ImportSettings } from "./import-settings.ts";
import { NETFLIX_NAMES } from "./netflix.ts";
import { readRows } from "./read-rows.ts";
import type { Rejections } from "./rejections.ts";
import type { Reading } from "./text-pieces.ts";

/** The events of a source, in the order of its rows. */
export interface ReadEvents {
  readonly sink: EventSink;
  readonly columns: Columns;
  readonly kind: FileKind;
  /** Rows in the files, used or not. */
  readonly rows: number;
  /** What was found out about the letters. */
  readonly reading: Reading;
}

export interface ReadEventsOptions extends Pick<SinkOptions, "latest" | "weights" | "scale"> {
  /** Epoch milliseconds; tells a likely time from a number. */
  readonly now: number;
  readonly onRows?: ((rows: number, share: number) => void) | undefined;
}

/** What a user does when a file holds nothing. */
export const emptyFile = (path: string): PhasewiseError =>
  new PhasewiseError(
    "INVALID_DATA",
    `${path}: expected at least one interaction, got an empty file; bring a file with rows userId,itemId[,rating][,timestamp]`,
    { path },
  );

/** Reads all parts of a table. Their columns are those of the first part. @throws INVALID_DATA */
export async function readEvents(
  connection: DuckDBConnection,
  paths: readonly string[],
  settings: ImportSettings,
  rejections: Rejections,
  options: ReadEventsOptions,
): Promise<ReadEvents> {
  const [first] = paths;
  const kind = await kindOfFile(connection, first, settings);
  if (kind === null) throw emptyFile(first);
  const columns = columnsOfKind(first, kind, settings, options.now);
  const read = await readParts(connection, paths, kind, columns, settings, rejections, options);
  // One id in a million that is no float: then none is, and every id stays as it was written.
  const { users, items } = read.sink;
  if (users.otherThanFloats + items.otherThanFloats === 0) return read;
  const asWritten = { ...columns, wholeFloats: { user: false, item: false } };
  rejections.clear();
  return readParts(connection, paths, kind, asWritten, settings, rejections, options);
}

function columnsOfKind(path: string, kind: FileKind, settings: ImportSettings, now: number): Columns {
  const { sample } = kind;
  const fixed = (names: readonly string[], places: Columns["places"]): Columns => ({
    names,
    headerRows: 0,
    places,
    decimalComma: false,
    timeFormat: null,
    wholeFloats: { user: false, item: false },
    explained: [],
  });
  switch (kind.kind) {
    case "lists":
      return {
        ...fixed(["user", "item"], { user: 0, item: 1 }),
        explained: ["every line: a user, then the items in order"],
      };
    case "netflix": {
      const rows = [["1", "1", "5", "2005-06-06"]];
      return columnsOf({ path, rows, width: 4, now, names: NETFLIX_NAMES }, { ...settings, columns: {} });
    }
    case "csv":
      return columnsOf({ path, rows: sample.rows, width: kind.width, now }, settings);
    default:
      return columnsOf(
        { path, rows: sample.rows, width: kind.names.length, now, names: kind.names },
        settings,
      );
  }
}

async function readParts(
  connection: DuckDBConnection,
  paths: readonly string[],
  kind: FileKind,
  columns: Columns,
  settings: ImportSettings,
  rejections: Rejections,
  options: ReadEventsOptions,
): Promise<ReadEvents> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const estimatedRows = estimateRows(kind, total);
  const sink = new EventSink(columns, rejections, { ...options, estimatedRows });
  const whole: Reading = { encoding: "UTF-8", foreignLines: 0, bytesRead: 0 };
  let [before, broken] = [0, 0];
  for (const [part, path] of paths.entries()) {
    const own = part === 0 ? kind : await kindOfFile(connection, path, settings);
    if (own === null) continue;
    const reading = await readRows(connection, {
      path,
      kind: own.kind === kind.kind ? { ...kind, sample: own.sample } : own,
      names: columns.names,
      skip: part === 0 ? columns.headerRows : repeatsHeader(own, columns),
      encoding: settings.encoding,
      row: (row) => sink.add(row),
      broken: (line, text) => {
        broken++;
        rejections.add("unreadable", line, paths.length > 1 ? `${path}: all columns` : "all columns", text);
      },
      onPiece: ({ bytesRead }) => options.onRows?.(sink.rows, (before + bytesRead) / total),
    });
    before += sizes[part];
    whole.foreignLines += reading.foreignLines;
    whole.encoding = reading.encoding;
  }
  sink.settleRatings();
  options.onRows?.(sink.rows + broken, 1);
  return { sink, columns, kind, rows: sink.rows + broken, reading: whole };
}

/** Each part that a program writes has the header again; a table that was cut has it once. */
function repeatsHeader(part: FileKind, columns: Columns): 0 | 1 {
  if (columns.headerRows === 0 || part.kind !== "csv") return 0;
  const [first = []] = part.sample.rows;
  return first.some((cell, column) => cell.trim() === columns.names[column]) ? 1 : 0;
}

/** Packed files hold about four times what they weigh. */
const PACKED = 4;

function estimateRows(kind: FileKind, bytes: number): number {
  if (kind.kind === "parquet") return kind.rowCount;
  const { rows, bytes: sampled, whole } = kind.sample;
  if (rows.length === 0) return bytes / 8;
  if (whole) return rows.length;
  return Math.min(
    1e8,
    (rows.length * bytes * (kind.sample.reading.encoding === "UTF-8" ? 1.02 : PACKED)) / sampled,
  );
}

/** Epoch milliseconds: no log of a service is older. */
const EARLIEST_LOG = Date.UTC(1980, 0, 1);
const FEW_EVENTS = 20;

/** What was read as told, yet cannot be meant. @throws INVALID_DATA */
export function refuseImplausible({ sink, columns }: ReadEvents, path: string): void {
  const { events, users, items } = sink;
  const refuse = (expected: string, got: string, remedy: string): never => {
    throw new PhasewiseError("INVALID_DATA", `${path}: expected ${expected}, got ${got}; ${remedy}`, {
      path,
    });
  };
  const name = (role: "user" | "item" | "time"): string => columns.names[columns.places[role] ?? 0];
  if (columns.places.time !== undefined && columns.timeFormat !== null) {
    let latest = 0;
    for (let event = 0; event < events.length; event++) latest = Math.max(latest, events.timestamps[event]);
    if (latest < EARLIEST_LOG) {
      refuse(
        `times in column ${name("time")}`,
        `none after ${new Date(latest).toISOString().slice(0, 10)} when read as ${columns.timeFormat.name}`,
        "name the column of the times with --columns time=…, their unit with --dates unix-days (or unix-ms …), or say --columns time=none to go by the order of the rows",
      );
    }
  }
  if (events.length < FEW_EVENTS) return;
  if (items.size === events.length && users.size < events.length / 2 && looksLikeTimes(sink)) {
    refuse(
      `ids of items in column ${name("item")}`,
      `${items.size} different ones in ${events.length} rows, which look like times`,
      "name the column of the items with --columns item=…",
    );
  }
}

/** Whether what was taken for items are dates. */
function looksLikeTimes({ items }: EventSink): boolean {
  const sample = Array.from({ length: Math.min(items.size, 50) }, (_, index) => items.textAt(index));
  return sample.every((id) => /^\d{4}-\d\d-\d\d/.test(id));
}
