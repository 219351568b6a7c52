import { stat } from "node:fs/promises";
import type { DuckDBConnection } from "@duckdb/node-api";
import { MS_PER_DAY } from "../../../models/data/day.ts";
import { DEFAULT_EVENT_RULES, type EventRules, weightsOf } from "../../../models/data/event-rules.ts";
import { type ItemId, itemId } from "../../../models/data/ids.ts";
import type { Catalogue, InteractionLog, ItemInfo } from "../../../models/data/interaction-log.ts";
import { orderedLog } from "../../../models/data/ordered-log.ts";
import { selectEvents } from "../../../models/data/slice.ts";
import { PhasewiseError } from "../../errors.ts";
import { withDuckDb } from "../duckdb.ts";
import { type ReadCatalogue, readCatalogueTable } from "./catalogue-table.ts";
import { findFiles } from "./find-files.ts";
import { type ImportSettings, importSettings, type SettingsGiven } from "./import-settings.ts";
import { emptyFile, type ReadEvents, readEvents, refuseImplausible } from "./read-events.ts";
import { Rejections } from "./rejections.ts";
import { type ImportReport, reportOf } from "./report.ts";

export type { ImportReport } from "./report.ts";

/** Epoch milliseconds at the end of the year 9999. */
const END_OF_ISO_YEARS = 253_402_300_799_999;
const DEFAULT_MAX_REJECTED_SHARE = 0.01;

export interface ImportProgress {
  /** 0 … 1; an estimate until the end. */
  readonly fraction: number;
  readonly message: string;
}

export interface ImportOptions {
  /** Epoch milliseconds; events more than a day later are out of range. */
  readonly now: number;
  /** What the user says about the file, before what phasewise.import.json says. */
  readonly settings?: SettingsGiven | undefined;
  /** What events and ratings mean (default DEFAULT_EVENT_RULES). */
  readonly rules?: EventRules | undefined;
  /** Share of broken rows above which the import fails (default 0.01). Duplicates do not count. */
  readonly maxRejectedShare?: number | undefined;
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined;
}

export interface ImportedInteractions {
  readonly log: InteractionLog;
  readonly catalogue: Catalogue;
  readonly report: ImportReport;
}

/**
 * Reads events, and titles from whatever catalogue stands beside them: find the files, decode, work out the dialect,
 * name the columns, read the rows, and say what was understood.
 * @throws INVALID_DATA with the line, the column and the remedy
 */
export async function importInteractions(
  source: string,
  options: ImportOptions,
): Promise<ImportedInteractions> {
  const files = await findFiles(source);
  const settings = await importSettings(source, options.settings);
  const progress = options.onProgress ?? (() => {});
  return withDuckDb(async (connection) => {
    const rejections = new Rejections();
    const read = await readEvents(connection, files.interactions, settings, rejections, {
      now: options.now,
      latest: options.now + MS_PER_DAY,
      ...meanings(options.rules, settings),
      onRows: (rows, share) =>
        progress({ fraction: 0.85 * Math.min(1, share), message: `${rows} rows read` }),
    });
    rejections.refuseAbove(options.maxRejectedShare ?? DEFAULT_MAX_REJECTED_SHARE, read.rows, source);
    if (read.sink.events.length === 0) throw emptyFile(files.interactions[0]);
    refuseImplausible(read, files.interactions[0]);
    progress({ fraction: 0.86, message: "putting events in time order" });
    const ordered = orderedLog(read.sink.events, read.sink.users.texts(), read.sink.items.texts(), true);
    const { log, duplicates, firstDuplicate } = ordered;
    if (firstDuplicate !== null) rejections.addDuplicates(duplicates, firstDuplicate);
    progress({ fraction: 0.95, message: "reading titles" });
    const found = await bestCatalogue(connection, files.others, log);
    const catalogue = found?.catalogue ?? titlesBeside(read, log);
    found?.rejections.refuseAbove(
      options.maxRejectedShare ?? DEFAULT_MAX_REJECTED_SHARE,
      found.rows,
      found.path,
    );
    progress({ fraction: 1, message: `${log.timestamps.length} events imported` });
    const report = reportOf({ source, files: files.interactions, read, rejections, log, catalogue, found });
    return { log, catalogue, report };
  });
}

const meanings = (rules: EventRules = DEFAULT_EVENT_RULES, settings: ImportSettings) => ({
  weights: { ...weightsOf(rules), ...settings.events },
  scale: rules.ratings,
});

/** Items a table must know to be the catalogue rather than another one, as a share of the most that any knows. */
const NEARLY_AS_MANY = 0.8;
/** Tables larger than this are no catalogue worth trying when one was found. */
const LARGE_BYTES = 2_000_000_000;

/** The table that knows most items of the log; of those that know about as many, the one with titles, then genres. */
async function bestCatalogue(
  connection: DuckDBConnection,
  paths: readonly string[],
  log: InteractionLog,
): Promise<(ReadCatalogue & { readonly path: string }) | null> {
  const isItem = (id: string): boolean => log.items.has(itemId(id));
  let best: (ReadCatalogue & { readonly path: string }) | null = null;
  for (const path of paths) {
    if ((await stat(path)).size > LARGE_BYTES) continue;
    const found = await readCatalogueTable(connection, path, isItem).catch(() => null);
    if (found === null) continue;
    if (best === null || richer(found, best)) best = { ...found, path };
  }
  return best;
}

function richer(a: ReadCatalogue, b: ReadCatalogue): boolean {
  if (a.known < NEARLY_AS_MANY * b.known) return false;
  if (b.known < NEARLY_AS_MANY * a.known) return true;
  return says(a) > says(b);
}

/** Titles weigh more than genres. */
function says({ catalogue }: ReadCatalogue): number {
  let [titles, genres] = [0, 0];
  for (const [id, info] of catalogue) {
    if (info.title !== id) titles++;
    if (info.genres.length > 0) genres++;
  }
  return (2 * titles + genres) / Math.max(1, catalogue.size);
}

/** Titles that stand in the rows of the events themselves. */
function titlesBeside({ sink }: ReadEvents, log: InteractionLog): Catalogue {
  const catalogue = new Map<ItemId, ItemInfo>();
  for (const [index, title] of sink.titles.entries()) {
    if (title === undefined || title.trim() === "") continue;
    const id = itemId(sink.items.textAt(index));
    if (log.items.has(id)) catalogue.set(id, { title: title.trim(), genres: [] });
  }
  return catalogue;
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
 * Reads a single train or test file as it stands: repeats are kept and any time goes.
 * @throws INVALID_DATA when rows are broken, or none is rated high enough
 */
export async function importFile(path: string, { minRating }: ImportFileOptions = {}): Promise<ImportedFile> {
  const settings = await importSettings(path);
  return withDuckDb(async (connection) => {
    const rejections = new Rejections();
    const read = await readEvents(connection, [path], settings, rejections, {
      now: Date.now(),
      latest: END_OF_ISO_YEARS,
      ...meanings(undefined, settings),
    });
    rejections.refuseAbove(0, read.rows, path);
    if (read.sink.events.length === 0) throw emptyFile(path);
    const { log } = orderedLog(read.sink.events, read.sink.users.texts(), read.sink.items.texts(), false);
    const rated = read.columns.places.rating !== undefined;
    return { log: ratedAtLeast(log, minRating, rated, path), timed: read.columns.places.time !== undefined };
  });
}

function ratedAtLeast(
  log: InteractionLog,
  minRating: number | undefined,
  rated: boolean,
  path: string,
): InteractionLog {
  if (minRating === undefined) return log;
  const kept = selectEvents(log, (event) => log.weights[event] >= minRating);
  if (rated && kept.timestamps.length > 0) return kept;
  throw new PhasewiseError(
    "INVALID_DATA",
    `${path}: expected rows rated at least ${minRating}, got ` +
      `${rated ? "none" : "no column of ratings"}; lower --min-rating or leave it out`,
    { path, minRating },
  );
}
