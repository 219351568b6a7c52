import Type from "typebox";
import { Check } from "typebox/value";
import { type ItemId, itemId } from "../../models/data/ids.ts";
import type { Catalogue, ItemInfo } from "../../models/data/interaction-log.ts";
import { PhasewiseError } from "../errors.ts";
import type { ByteStore } from "../storage/byte-store.ts";

/** Name of the catalogue beside the snapshot. */
export const CATALOGUE_FILE = "catalogue.json";

const CatalogueRows = Type.Array(
  Type.Object({
    itemId: Type.String(),
    title: Type.String(),
    genres: Type.Array(Type.String()),
    year: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
    attributes: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Array(Type.String())]),
      ),
    ),
    availability: Type.Optional(
      Type.Object({
        available: Type.Optional(Type.Boolean()),
        from: Type.Optional(Type.Number()),
        until: Type.Optional(Type.Number()),
      }),
    ),
  }),
);

/** The catalogue as a JSON array of {itemId, title, genres, year?, attributes?, availability?}, in the catalogue's order. */
export async function writeCatalogue(catalogue: Catalogue, store: ByteStore): Promise<void> {
  const rows = Array.from(catalogue, ([id, info]) => JSON.stringify({ itemId: id, ...info }));
  await store.replace(CATALOGUE_FILE, Buffer.from(`[\n${rows.join(",\n")}\n]\n`));
}

/**
 * Reads what `writeCatalogue` wrote; a missing file is an empty catalogue, whose titles are the item ids.
 * @throws INVALID_DATA when it is not a catalogue
 */
export async function readCatalogue(store: ByteStore): Promise<Catalogue> {
  const bytes = await store.read(CATALOGUE_FILE);
  if (bytes === null) return new Map();
  const file = `${store.place}/${CATALOGUE_FILE}`;
  const rows = parsed(Buffer.from(bytes).toString("utf8"));
  if (!Check(CatalogueRows, rows)) {
    throw new PhasewiseError(
      "INVALID_DATA",
      `${file}: expected a JSON array of {itemId, title, genres, year?}, got something else; import the data again`,
      { file },
    );
  }
  return new Map(
    rows.map(({ itemId: id, year, ...info }): [ItemId, ItemInfo] => [
      itemId(id),
      year === undefined || year === null ? info : { ...info, year },
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
