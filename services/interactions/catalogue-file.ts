import { readFile } from "node:fs/promises";
import Type from "typebox";
import { Check } from "typebox/value";
import { type ItemId, itemId } from "../../models/data/ids.ts";
import type { Catalogue, ItemInfo } from "../../models/data/interaction-log.ts";
import { PhasewiseError } from "../errors.ts";

const CatalogueRows = Type.Array(
  Type.Object({
    itemId: Type.String(),
    title: Type.String(),
    genres: Type.Array(Type.String()),
    year: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
  }),
);

/** The catalogue as text: a JSON array of {itemId, title, genres, year?}, in the catalogue's order. */
export function formatCatalogue(catalogue: Catalogue): string {
  const rows = Array.from(catalogue, ([id, info]) => JSON.stringify({ itemId: id, ...info }));
  return `[\n${rows.join(",\n")}\n]\n`;
}

/**
 * Reads what `formatCatalogue` wrote; a missing file is an empty catalogue, whose titles are the item ids.
 * @throws INVALID_DATA when it is not a catalogue
 */
export async function readCatalogue(file: string): Promise<Catalogue> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Map();
    throw error;
  }
  const rows = parsed(text);
  if (!Check(CatalogueRows, rows)) {
    throw new PhasewiseError(
      "INVALID_DATA",
      `${file}: expected a JSON array of {itemId, title, genres, year?}, got something else; import the data again`,
      { file },
    );
  }
  return new Map(
    rows.map(({ itemId: id, title, genres, year }): [ItemId, ItemInfo] => [
      itemId(id),
      year === undefined || year === null ? { title, genres } : { title, genres, year },
    ]),
  );
}

/** Undefined, which is no catalogue, when the text is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
