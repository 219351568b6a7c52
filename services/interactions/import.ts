import { MS_PER_DAY } from "../../models/data/day.ts";
import type { Catalogue, InteractionLog } from "../../models/data/interaction-log.ts";
import { orderedLog } from "../../models/data/ordered-log.ts";
import { selectEvents } from "../../models/data/slice.ts";
import { PhasewiseError } from "../errors.ts";
import { readCatalogue } from "./catalogue.ts";
import { detectTable, emptyFile } from "./detect.ts";
import { withDuckDb } from "./duckdb.ts";
import { findLayout } from "./layout.ts";
import { readTable } from "./read-table.ts";
import { type RejectedKind, Rejections } from "./rejections.ts";
import type { InteractionTable } from "./table.ts";

/** Epoch milliseconds at the end of the year 9999. */
const END_OF_ISO_YEARS = 253_402_300_799_999;
const DEFAULT_MAX_REJECTED_SHARE = 0.05;

export interface ImportProgress {
  /** 0 … 1; an estimate until the end. */
  readonly fraction: number;
  readonly message: string;
}

export interface ImportOptions {
  /** Epoch milliseconds; events more than a day later are out of range. */
  readonly now: number;
  /** Share of broken rows above which the import fails (default 0.05). Duplicates do not count. */
  readonly maxRejectedShare?: number | undefined;
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined;
}

export interface ImportReport {
  /** The layout recognised, e.g. "MovieLens CSV". */
  readonly layout: string;
  readonly path: string;
  /** Rows in the file. */
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
}

export interface ImportedInteractions {
  readonly log: InteractionLog;
  readonly catalogue: Catalogue;
  readonly report: ImportReport;
}

/**
 * Reads a MovieLens folder, or a generic file or folder, validated for training.
 * @throws INVALID_DATA with the line, the column and the remedy
 */
export async function importInteractions(
  source: string,
  options: ImportOptions,
): Promise<ImportedInteractions> {
  const layout = await findLayout(source);
  return withDuckDb(async (connection) => {
    const progress = options.onProgress ?? (() => {});
    const table = await detectTable(connection, layout.interactions);
    const rejections = new Rejections();
    const read = await readTable(connection, table, rejections, {
      latest: options.now + MS_PER_DAY,
      onRows: (rows) =>
        progress({
          fraction: Math.min(0.85, (0.85 * rows) / table.estimatedRows),
          message: `${rows} rows read`,
        }),
    });
    if (read.totalRows === 0) throw emptyFile(table.path);
    rejections.refuseAbove(
      options.maxRejectedShare ?? DEFAULT_MAX_REJECTED_SHARE,
      read.totalRows,
      table.path,
    );
    progress({ fraction: 0.86, message: "putting events in time order" });
    const ordered = orderedLog(read.columns, read.userIds, read.itemIds, true);
    const { duplicates, firstDuplicate } = ordered;
    if (firstDuplicate !== null) rejections.addDuplicates(duplicates, firstDuplicate);
    refuseUntrainable(ordered.log, table);
    const catalogue =
      layout.catalogue === null
        ? new Map()
        : await readCatalogue(connection, layout.catalogue.path, layout.catalogue.format);
    progress({ fraction: 1, message: `${ordered.log.timestamps.length} events imported` });
    const report = reportOf(layout.name, table, read.totalRows, rejections, ordered.log, catalogue);
    return { log: ordered.log, catalogue, report };
  });
}

export interface ImportedFile {
  readonly log: InteractionLog;
  /** False when the file has no times: its order then stands in for them. */
  readonly timed: boolean;
}

export interface ImportFileOptions {
  /** Rows rated lower are left out. */
  readonly minRating?: number | undefined;
}

/**
 * Reads a single train or test file as it stands: repeats are kept and one user is enough.
 * @throws INVALID_DATA when rows are broken, or none is rated high enough
 */
export async function importFile(path: string, { minRating }: ImportFileOptions = {}): Promise<ImportedFile> {
  return withDuckDb(async (connection) => {
    const table = await detectTable(connection, path);
    const rejections = new Rejections();
    const read = await readTable(connection, table, rejections, { latest: END_OF_ISO_YEARS });
    rejections.refuseAbove(0, read.totalRows, path);
    if (read.totalRows === 0) throw emptyFile(path);
    const { log } = orderedLog(read.columns, read.userIds, read.itemIds, false);
    return { log: ratedAtLeast(log, minRating, table), timed: table.roles.timestamp !== undefined };
  });
}

function ratedAtLeast(
  log: InteractionLog,
  minRating: number | undefined,
  { path, roles }: InteractionTable,
): InteractionLog {
  if (minRating === undefined) return log;
  const kept = selectEvents(log, (event) => log.weights[event] >= minRating);
  if (roles.rating !== undefined && kept.timestamps.length > 0) return kept;
  throw new PhasewiseError(
    "INVALID_DATA",
    `${path}: expected rows rated at least ${minRating}, got ` +
      `${roles.rating === undefined ? "no column of ratings" : "none"}; lower --min-rating or leave it out`,
    { path, minRating },
  );
}

function refuseUntrainable(log: InteractionLog, table: InteractionTable): void {
  const refuse = (expected: string, got: number): never => {
    throw new PhasewiseError(
      "INVALID_DATA",
      `${table.path}: expected at least two ${expected}, got ${got} in column ${expected === "users" ? table.roles.user : table.roles.item}; ` +
        "training learns from what many users have in common: bring more data, or check that the column is the right one",
      { path: table.path, [expected]: got },
    );
  };
  if (log.users.size < 2) refuse("users", log.users.size);
  if (log.items.size < 2) refuse("items", log.items.size);
}

function reportOf(
  layout: string,
  table: InteractionTable,
  rows: number,
  rejections: Rejections,
  log: InteractionLog,
  catalogue: Catalogue,
): ImportReport {
  return {
    layout,
    path: table.path,
    rows,
    accepted: log.timestamps.length,
    rejected: rejections.kinds,
    users: log.users.size,
    items: log.items.size,
    itemsWithoutTitle: log.items.ids.filter((item) => !catalogue.has(item)).length,
    from: new Date(log.timestamps[0]).toISOString(),
    through: new Date(log.timestamps[log.timestamps.length - 1]).toISOString(),
    timed: table.roles.timestamp !== undefined,
  };
}
