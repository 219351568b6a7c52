import type { Catalogue, InteractionLog } from "../../../models/data/interaction-log.ts";
import type { ReadCatalogue } from "./catalogue-table.ts";
import { explainRatings } from "./rating-rule.ts";
import type { ReadEvents } from "./read-events.ts";
import { explainRejections, type RejectedKind, type Rejections } from "./rejections.ts";

export interface ImportReport {
  /** How the file is written, e.g. "CSV with ,", "Parquet", "JSON, an object a line". */
  readonly layout: string;
  readonly path: string;
  /** Parts that the table consists of. */
  readonly files: number;
  /** Rows in the files. */
  readonly rows: number;
  /** Events in the log. */
  readonly accepted: number;
  readonly rejected: readonly RejectedKind[];
  readonly users: number;
  readonly items: number;
  /** Items of the log that the catalogue does not name. */
  readonly itemsWithoutTitle: number;
  /** ISO 8601 times of the first and the last event. */
  readonly from: string;
  readonly through: string;
  /** False when the file has no times: its order then stands in for them. */
  readonly timed: boolean;
  readonly rated: boolean;
  /** A line a column: the part it plays, and why. */
  readonly columns: readonly string[];
  /** What is missing or was understood in a way worth knowing, a sentence each. */
  readonly notes: readonly string[];
  /** Broken lines of the catalogue. */
  readonly rejectedItems: readonly RejectedKind[];
}

export interface Imported {
  readonly source: string;
  readonly files: readonly string[];
  readonly read: ReadEvents;
  readonly rejections: Rejections;
  readonly log: InteractionLog;
  readonly catalogue: Catalogue;
  readonly found: (ReadCatalogue & { readonly path: string }) | null;
}

export function reportOf(imported: Imported): ImportReport {
  const { source, files, read, rejections, log, catalogue, found } = imported;
  const { places } = read.columns;
  return {
    layout: layoutOf(read),
    path: files.length === 1 ? files[0] : source,
    files: files.length,
    rows: read.rows,
    accepted: log.timestamps.length,
    rejected: rejections.kinds,
    users: log.users.size,
    items: log.items.size,
    itemsWithoutTitle: log.items.ids.filter((item) => !catalogue.has(item)).length,
    from: new Date(log.timestamps[0]).toISOString(),
    through: new Date(log.timestamps[log.timestamps.length - 1]).toISOString(),
    timed: places.time !== undefined,
    rated: places.rating !== undefined,
    columns: read.columns.explained,
    notes: notesOf(imported),
    rejectedItems: found?.rejections.kinds ?? [],
  };
}

const DELIMITER_NAMES: Readonly<Record<string, string>> = {
  "\t": "tabs",
  " ": "spaces",
  "\x01": "Hive's \\x01",
};

function layoutOf({ kind }: ReadEvents): string {
  switch (kind.kind) {
    case "csv":
      return `text with ${DELIMITER_NAMES[kind.dialect.delimiter] ?? kind.dialect.delimiter} between its columns`;
    case "json":
      return kind.perLine ? "JSON, an object a line" : "JSON objects";
    case "parquet":
      return "Parquet";
    case "lists":
      return "a line a user";
    default:
      return "Netflix Prize";
  }
}

function notesOf({ read, log, catalogue, found }: Imported): string[] {
  const { places, wholeFloats } = read.columns;
  const notes: string[] = [];
  const { foreignLines, encoding } = read.reading;
  if (encoding !== "UTF-8" && encoding !== "Parquet") notes.push(`letters read as ${encoding}`);
  if (foreignLines > 0)
    notes.push(
      `${foreignLines} lines are no UTF-8 and were read as Windows-1252 (Latin-1); name another with --encoding`,
    );
  if (wholeFloats.user || wholeFloats.item)
    notes.push('ids such as "1.0" are whole numbers that a program wrote as floats: they are kept as "1"');
  if (read.sink.namedByTitle > 0)
    notes.push(`${read.sink.namedByTitle} rows without an id of their item go by its title`);
  if (places.time === undefined)
    notes.push(
      "no times: the order of the rows stands in for them, so recency is a guess and histories are as old as the file is long",
    );
  if (places.rating === undefined && places.weight === undefined)
    notes.push("no ratings: every row counts as interest alike");
  if (read.sink.ratings !== null)
    notes.push(explainRatings(read.sink.ratings, places.rating === undefined ? "weights" : "ratings"));
  const types = [...read.sink.typesMet].filter(([, weight]) => weight !== undefined);
  if (types.length > 0)
    notes.push(`kinds of events by weight: ${types.map(([name, weight]) => `${name} ${weight}`).join(", ")}`);
  const named = log.items.ids.filter((item) => catalogue.has(item)).length;
  if (named === 0)
    notes.push(
      "no titles: items are shown by their ids; put a table of items (id, title, genres) beside the file",
    );
  else if (named < log.items.size)
    notes.push(
      `${log.items.size - named} of ${log.items.size} items have no title and are shown by their ids`,
    );
  if (found !== null) notes.push(found.explained);
  if (log.users.size < 2)
    notes.push("only one user: there is nothing to compare, so popularity is all there is to serve");
  if (log.items.size < 2) notes.push("only one item: there is nothing to choose from");
  return notes;
}

/** The whole report as a terminal shows it. */
export function explainReport(report: ImportReport): string[] {
  const parts = report.files > 1 ? `${report.files} parts, ` : "";
  return [
    `${report.path}: ${parts}${report.layout}; ${report.rows} ${report.rows === 1 ? "row" : "rows"} read, ${report.accepted} kept`,
    ...report.columns.map((line) => `  ${line}`),
    ...report.notes.map((note) => `  ${note}`),
    ...explainRejections(report.rejected),
    ...explainRejections(report.rejectedItems).map((line) => `catalogue: ${line}`),
  ];
}
