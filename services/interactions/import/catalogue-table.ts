import type { DuckDBConnection } from "@duckdb/node-api";
import { type ItemId, itemId } from "../../../models/data/ids.ts";
import type { Catalogue, ItemInfo } from "../../../models/data/interaction-log.ts";
import { columnByName, normalisedName } from "./column-names.ts";
import { ExtraColumns } from "./extra-columns.ts";
import { type FileKind, kindOfFile } from "./file-kind.ts";
import { genresOf } from "./genres.ts";
import { type ImportSettings, NO_SETTINGS } from "./import-settings.ts";
import { isNothing, numberOf } from "./numbers.ts";
import { readRows } from "./read-rows.ts";
import { Rejections } from "./rejections.ts";

/** A file of items, read. */
export interface ReadCatalogue {
  readonly catalogue: Catalogue;
  /** Items of the log that it names. */
  readonly known: number;
  readonly rejections: Rejections;
  readonly rows: number;
  /** A line for the report. */
  readonly explained: string;
}

/** Catalogues are kept whole in memory: what the items of a larger one say beyond titles and genres stays out. */
const MOST_WITH_EXTRAS = 200_000;

const AS_TABLE: ImportSettings = { ...NO_SETTINGS, layout: "table" };

/** Ids of catalogues that say "id" and nothing else. */
const PLAIN_IDS = ["id", "code", "key", "nr", "nummer", "number", "identifier"];
/** The flags of MovieLens' u.item, in file order; the first, "unknown", is no genre. */
const GENRES_100K = (
  "unknown Action Adventure Animation Children Comedy Crime Documentary Drama Fantasy Film-Noir Horror " +
  "Musical Mystery Romance Sci-Fi Thriller War Western"
).split(" ");

interface Places {
  readonly id: number;
  readonly title: number | undefined;
  /** One that holds lists, or several of one genre each. */
  readonly genres: readonly number[];
  readonly year: number | undefined;
  /** Columns of 0 and 1, each a genre. */
  readonly flags: readonly (readonly [column: number, genre: string])[];
  readonly header: 0 | 1;
  readonly names: readonly string[];
  /** Null where columns have no names. */
  readonly extras: ExtraColumns | null;
}

/**
 * Reads titles, genres and years from a table of items, whichever of its columns holds the ids of the log. Null when
 * the file holds no item of the log, or nothing to say about them.
 */
export async function readCatalogueTable(
  connection: DuckDBConnection,
  path: string,
  isItem: (id: string) => boolean,
): Promise<ReadCatalogue | null> {
  const kind = await kindOfFile(connection, path, AS_TABLE);
  if (kind === null || kind.kind === "lists" || kind.kind === "netflix") return null;
  const places = placesOf(kind, isItem);
  if (places === null) return null;
  const catalogue = new Map<ItemId, ItemInfo>();
  const rejections = new Rejections();
  let [rows, known] = [0, 0];
  // Titles that end a line without a header, as in Netflix' movie_titles.csv, may hold the delimiter.
  const titleLast = kind.kind === "csv" && places.header === 0 && places.title === kind.width - 1;
  const readable = titleLast ? { ...kind, dialect: { ...kind.dialect, restInLast: true } } : kind;
  await readRows(connection, {
    path,
    kind: readable,
    names: places.names,
    skip: places.header,
    encoding: null,
    row: (row) => {
      rows++;
      const id = idText(row.text(places.id), isItem);
      if (id === "") return rejections.add("missing", row.line, places.names[places.id], "");
      if (catalogue.has(itemId(id))) return;
      const text = (column: number | undefined): string => (column === undefined ? "" : row.text(column));
      const flagged = places.flags
        .filter(([column]) => text(column).trim() === "1")
        .map(([, genre]) => genre);
      const genres = [...new Set([...places.genres.flatMap((column) => genresOf(text(column))), ...flagged])];
      const info = itemInfo(text(places.title) || id, genres, text(places.year));
      const extras = catalogue.size < MOST_WITH_EXTRAS ? places.extras?.of(text) : undefined;
      catalogue.set(itemId(id), extras === undefined ? info : { ...info, ...extras });
      if (isItem(id)) known++;
    },
    broken: (line, text) => {
      rows++;
      rejections.add("unreadable", line, "(all)", text);
    },
  });
  if (known === 0) return null;
  return { catalogue, known, rejections, rows, explained: explained(path, places) };
}

function explained(path: string, { id, title, genres, year, flags, names, extras }: Places): string {
  const part = (what: string, column: number | undefined): string =>
    column === undefined ? `no ${what}` : `${what} from ${names[column]}`;
  const listed =
    genres.length === 0 ? "no genres" : `genres from ${genres.map((column) => names[column]).join(", ")}`;
  const marked = flags.length > 0 ? `genres from ${flags.length} columns of 0 and 1` : listed;
  const more = extras?.explained ?? null;
  return `${path}: items by ${names[id]}, ${part("titles", title)}, ${marked}, ${part("years", year)}${more === null ? "" : `, ${more}`}`;
}

/** "7.0", as pandas writes a column with gaps, is 7 where the log says 7. */
function idText(text: string, isItem: (id: string) => boolean): string {
  const id = text.trim();
  return id.endsWith(".0") && !isItem(id) ? id.slice(0, -2) : id;
}

/** Null when no column holds ids of the log, or none says anything about the items. */
function placesOf(
  kind: Extract<FileKind, { kind: "csv" | "json" | "parquet" }>,
  isItem: (id: string) => boolean,
): Places | null {
  const { rows } = kind.sample;
  const csv = kind.kind === "csv";
  const [first = []] = rows;
  const cells = first.map((cell) => cell.trim());
  const header: 0 | 1 = csv && cells.some(named) && !cells.some((cell) => /^\d/.test(cell)) ? 1 : 0;
  const width = csv ? kind.width : kind.names.length;
  const names = csv
    ? Array.from({ length: width }, (_, column) => (header === 1 && cells[column]) || `column ${column + 1}`)
    : kind.names;
  const body = rows.slice(header).filter((row) => row.length === width);
  const id = idColumn(names, body, isItem);
  if (id === null) return null;
  if (header === 0 && csv) return withoutNames(names, body, id);
  const taken = new Set([id]);
  const take = (role: "title" | "genres" | "year"): number | undefined => {
    const column = columnByName(names, role, taken);
    if (column !== undefined) taken.add(column);
    return column;
  };
  const [title, listed, year] = [take("title"), take("genres"), take("year")];
  const numbered = numberedGenres(names, taken);
  const genres = [...(listed === undefined ? [] : [listed]), ...numbered];
  for (const column of numbered) taken.add(column);
  const flags = genres.length === 0 ? flagColumns(names, body, taken) : [];
  for (const [column] of flags) taken.add(column);
  const extras = new ExtraColumns(names, body, taken);
  if (title === undefined && genres.length === 0 && flags.length === 0 && extras.explained === null)
    return null;
  return { id, title, genres, year, flags, header, names, extras };
}

const named = (cell: string): boolean =>
  PLAIN_IDS.includes(normalisedName(cell)) ||
  (["item", "title", "genres", "year"] as const).some(
    (role) => columnByName([cell], role, new Set()) !== undefined,
  );

/** The column most of whose cells are items of the log; of equals, the one named like an id, then the first. */
function idColumn(
  names: readonly string[],
  body: readonly (readonly string[])[],
  isItem: (id: string) => boolean,
): number | null {
  let [best, bestScore] = [-1, 0];
  for (const [column, name] of names.entries()) {
    const distinct = new Set(body.map((row) => idText(row[column] ?? "", isItem)));
    let known = 0;
    for (const id of distinct) if (isItem(id)) known++;
    const byName =
      columnByName([name], "item", new Set()) !== undefined || PLAIN_IDS.includes(normalisedName(name));
    // A column of ids repeats nothing; a year or a count may look like ids here and there.
    const score = (known / Math.max(1, body.length)) * (byName ? 2 : 1);
    if (known > 0 && score > bestScore) [best, bestScore] = [column, score];
  }
  return best < 0 ? null : best;
}

/** "genre1", "genre_2", "category 3", "genres/0", "genres[1]": one genre a column. */
function numberedGenres(names: readonly string[], taken: ReadonlySet<number>): number[] {
  return names.flatMap((name, column) => {
    const stem = name.trim().replace(/[^\p{L}]*\d{1,2}[^\p{L}]*$/u, "");
    const isGenre =
      stem !== "" && stem !== name.trim() && columnByName([stem], "genres", new Set()) !== undefined;
    return isGenre && !taken.has(column) ? [column] : [];
  });
}

const GENRE_FLAGS = 3;

function flagColumns(
  names: readonly string[],
  body: readonly (readonly string[])[],
  taken: ReadonlySet<number>,
): [number, string][] {
  const flags = names
    .map((name, column): [number, string] => [column, name])
    .filter(
      ([column]) =>
        !taken.has(column) && body.length > 1 && body.every((row) => /^\s*[01]\s*$/.test(row[column] ?? "")),
    );
  return flags.length < GENRE_FLAGS ? [] : flags;
}

/** movies.dat (id, title, genres), u.item (id, title, date, …, 19 flags), movie_titles.csv (id, year, title). */
function withoutNames(
  names: readonly string[],
  body: readonly (readonly string[])[],
  id: number,
): Places | null {
  const flags = flagColumns(names, body, new Set([id]));
  const share = (column: number, test: (cell: string) => boolean): number =>
    body.filter((row) => test(row[column] ?? "")).length / Math.max(1, body.length);
  const words = names
    .map((_, column) => column)
    .filter((column) => column !== id && share(column, (cell) => /\p{L}{2}/u.test(cell)) > 0.5);
  const [title] = words;
  if (title === undefined) return null;
  const year = names
    .map((_, column) => column)
    .find((column) => column !== id && share(column, (cell) => /^\s*(19|20)\d\d\s*$/.test(cell)) > 0.5);
  const listed = words.find((column) => column > title && share(column, (cell) => cell.includes("|")) > 0.1);
  const known =
    flags.length === GENRES_100K.length
      ? flags.slice(1).map(([column], place): [number, string] => [column, GENRES_100K[place + 1]])
      : [];
  const genres =
    listed ?? (known.length === 0 && names.length === 3 && words.length === 2 ? words[1] : undefined);
  const places = genres === undefined ? [] : [genres];
  return { id, title, genres: places, year, flags: known, header: 0, names, extras: null };
}

/** The year as given, else read from "Toy Story (1995)" (also "Series (2006–2007)": the first). */
export function itemInfo(title: string, genres: readonly string[], given: string): ItemInfo {
  const name = title.trim();
  const written = /\((\d{4})(?:\s*[-–]\s*(?:\d{4})?)?\)\s*$/.exec(name)?.[1] ?? null;
  const year = isNothing(given)
    ? written
    : (/(?<!\d)(1[5-9]|20)\d\d(?!\d)/.exec(given)?.[0] ?? yearOf(given) ?? written);
  return year === null ? { title: name, genres } : { title: name, genres, year: Number(year) };
}

const yearOf = (given: string): string | null => {
  const number = numberOf(given, false);
  return Number.isInteger(number) ? String(number) : null;
};

/** The column that holds item ids by its name. */
export function itemIdColumn(names: readonly string[]): number | undefined {
  const plain = names.findIndex((name) => PLAIN_IDS.includes(normalisedName(name)));
  return columnByName(names, "item", new Set()) ?? (plain < 0 ? undefined : plain);
}
