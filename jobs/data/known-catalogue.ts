import type { Catalogue } from "../../models/data/interaction-log.ts";
import { CATALOGUE_FILE, readCatalogue } from "../../services/interactions/catalogue-file.ts";
import type { ByteStore } from "../../services/storage/byte-store.ts";

/** The catalogue as last imported; read again when its file changes, since every look and every batch asks for it. */
export function knownCatalogue(store: ByteStore): () => Promise<Catalogue> {
  let known: { readonly mark: string; readonly catalogue: Promise<Catalogue> } | undefined;
  return async () => {
    const mark = (await store.find(CATALOGUE_FILE))?.mark ?? "";
    if (known?.mark === mark) return known.catalogue;
    const catalogue = readCatalogue(store);
    known = { mark, catalogue };
    // What could not be read is read again by whoever asks next.
    catalogue.catch(() => {
      known = undefined;
    });
    return catalogue;
  };
}
