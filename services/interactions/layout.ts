import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { PhasewiseError } from "../errors.ts";

/** How an items file is written. */
export type CatalogueFormat = "table" | "movielens-dat" | "movielens-100k";

export interface DataLayout {
  readonly name: "MovieLens CSV" | "MovieLens ::" | "MovieLens 100K" | "generic";
  readonly interactions: string;
  readonly catalogue: { readonly path: string; readonly format: CatalogueFormat } | null;
}

const GENERIC_INTERACTIONS = ["interactions", "ratings", "events"];
const GENERIC_ITEMS = ["items", "movies", "catalogue", "catalog"];
const TABLE_EXTENSIONS = ["csv", "tsv", "parquet", "jsonl", "ndjson"];

/** Finds the interactions and the catalogue in a file or a folder. */
export async function findLayout(source: string): Promise<DataLayout> {
  const kind = await stat(source).catch(() => null);
  if (kind === null) {
    throw new PhasewiseError(
      "INVALID_DATA",
      `${source}: expected a file or a folder of interactions, got nothing at that path; check --data`,
      { path: source },
    );
  }
  if (kind.isFile()) return { name: "generic", interactions: source, catalogue: null };
  const files = new Set(await readdir(source));
  const at = (name: string): string => join(source, name);
  if (files.has("ratings.dat")) {
    const catalogue = files.has("movies.dat")
      ? { path: at("movies.dat"), format: "movielens-dat" as const }
      : null;
    return { name: "MovieLens ::", interactions: at("ratings.dat"), catalogue };
  }
  if (files.has("u.data")) {
    const catalogue = files.has("u.item") ? { path: at("u.item"), format: "movielens-100k" as const } : null;
    return { name: "MovieLens 100K", interactions: at("u.data"), catalogue };
  }
  const table = (stems: readonly string[]): string | undefined =>
    stems
      .flatMap((stem) => TABLE_EXTENSIONS.map((extension) => `${stem}.${extension}`))
      .find((name) => files.has(name));
  const items = table(GENERIC_ITEMS);
  const catalogue = items === undefined ? null : { path: at(items), format: "table" as const };
  if (files.has("ratings.csv") && files.has("movies.csv")) {
    return { name: "MovieLens CSV", interactions: at("ratings.csv"), catalogue };
  }
  const interactions = table(GENERIC_INTERACTIONS) ?? onlyOtherTable(files, items);
  if (interactions === undefined) {
    throw new PhasewiseError(
      "INVALID_DATA",
      `${source}: expected ratings.csv, ratings.dat, u.data or interactions.{csv,parquet,jsonl}, got ${[...files].slice(0, 8).join(", ") || "an empty folder"}; point --data at the file itself`,
      { path: source },
    );
  }
  return { name: "generic", interactions: at(interactions), catalogue };
}

/** A folder with a single table besides the items needs no particular name. */
function onlyOtherTable(files: ReadonlySet<string>, items: string | undefined): string | undefined {
  const tables = [...files].filter(
    (name) => name !== items && TABLE_EXTENSIONS.some((extension) => name.endsWith(`.${extension}`)),
  );
  return tables.length === 1 ? tables[0] : undefined;
}
