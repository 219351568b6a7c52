import { readFile } from "node:fs/promises";
import type { DuckDBConnection } from "@duckdb/node-api";
import { type ItemId, itemId } from "../../models/data/ids.ts";
import type { Catalogue, ItemInfo } from "../../models/data/interaction-log.ts";
import { PhasewiseError } from "../errors.ts";
import { rowsOf } from "./duckdb.ts";
import type { CatalogueFormat } from "./layout.ts";
import { named, quoted } from "./table.ts";

/** The flags of u.item, in file order; the first, "unknown", is no genre. */
const GENRES_100K = (
  "unknown Action Adventure Animation Children Comedy Crime Documentary Drama Fantasy Film-Noir Horror " +
  "Musical Mystery Romance Sci-Fi Thriller War Western"
).split(" ");

export const ID_COLUMNS = ["itemid", "movieid", "item", "movie", "id", "productid"];

export async function readCatalogue(
  connection: DuckDBConnection,
  path: string,
  format: CatalogueFormat,
): Promise<Catalogue> {
  if (format === "table") return catalogueTable(connection, path);
  const lines = decoded(await readFile(path)).split(/\r?\n/);
  const entries = lines
    .filter((line) => line !== "")
    .map(format === "movielens-dat" ? datEntry : item100kEntry);
  return new Map(entries);
}

/** UTF-8 where the bytes are valid UTF-8, else Latin-1: the 1M and 100K sets are Latin-1, the 10M set UTF-8. */
function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("latin1").decode(bytes);
  }
}

/** "1::Toy Story (1995)::Animation|Children's" */
function datEntry(line: string): [ItemId, ItemInfo] {
  const first = line.indexOf("::");
  const last = line.lastIndexOf("::");
  return [
    itemId(line.slice(0, first)),
    itemInfo(line.slice(first + 2, last), genresOf(line.slice(last + 2))),
  ];
}

/** "1|Toy Story (1995)|01-Jan-1995||http://…|0|0|0|1|…" with 19 flags at the end. */
function item100kEntry(line: string): [ItemId, ItemInfo] {
  const cells = line.split("|");
  const flags = cells.slice(-GENRES_100K.length);
  const genres = GENRES_100K.filter((_, index) => index > 0 && flags[index] === "1");
  return [itemId(cells[0]), itemInfo(cells[1], genres)];
}

async function catalogueTable(connection: DuckDBConnection, path: string): Promise<Catalogue> {
  const from = path.endsWith(".parquet")
    ? `read_parquet(${quoted(path)})`
    : /\.(jsonl|ndjson)$/.test(path)
      ? `read_json(${quoted(path)}, format = 'newline_delimited')`
      : `read_csv(${quoted(path)}, header = true, all_varchar = true, quote = '"', escape = '"')`;
  const described = await rowsOf<{ column_name: string }>(connection, `DESCRIBE SELECT * FROM ${from}`);
  const names = described.map((row) => row.column_name);
  const find = (...spellings: string[]): string | undefined =>
    names.find((name) => spellings.includes(name.toLowerCase().replaceAll(/[\s_-]/g, "")));
  const id = find(...ID_COLUMNS);
  if (id === undefined) {
    throw new PhasewiseError(
      "INVALID_DATA",
      `${path}: expected a column itemId (or movieId), got ${names.join(", ")}; rename the column that holds it`,
      { path, columns: names },
    );
  }
  const text = (name: string | undefined): string =>
    name === undefined ? "NULL" : `CAST(${named(name)} AS VARCHAR)`;
  const rows = await rowsOf<Record<"id" | "title" | "genres" | "year", string | null>>(
    connection,
    `SELECT TRIM(${text(id)}) AS id, ${text(find("title", "name"))} AS title,
       ${text(find("genres", "genre", "categories", "category"))} AS genres, ${text(find("year"))} AS year FROM ${from}`,
  );
  const catalogue = new Map<ItemId, ItemInfo>();
  for (const row of rows) {
    if (row.id === null || row.id === "") continue;
    const year = row.year === null ? undefined : Number(row.year);
    catalogue.set(itemId(row.id), itemInfo(row.title ?? row.id, genresOf(row.genres ?? ""), year));
  }
  return catalogue;
}

/** "Comedy|Drama", or a list as Parquet and JSON write it: "[Comedy, Drama]". */
function genresOf(text: string): string[] {
  if (text === "(no genres listed)") return [];
  const list = text.startsWith("[") && text.endsWith("]");
  const parts = list ? text.slice(1, -1).split(",") : text.split("|");
  return parts.map((part) => part.trim().replaceAll(/^["']|["']$/g, "")).filter((part) => part !== "");
}

/** The year as given, else read from "Toy Story (1995)" (also "Series (2006–2007)": the first). */
function itemInfo(title: string, genres: readonly string[], given?: number): ItemInfo {
  const name = title.trim();
  const written = /\((\d{4})(?:\s*[-–]\s*(?:\d{4})?)?\)\s*$/.exec(name);
  const year =
    given !== undefined && Number.isInteger(given) ? given : written ? Number(written[1]) : undefined;
  return year === undefined ? { title: name, genres } : { title: name, genres, year };
}
