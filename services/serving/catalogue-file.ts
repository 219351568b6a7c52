import type { Catalogue } from "../../models/data/interaction-log.ts";
import { CATALOGUE_FILE, readCatalogue } from "../interactions/catalogue-file.ts";
import type { ByteStore } from "../storage/byte-store.ts";
import { CatalogueIndex } from "./catalogue-index.ts";

/**
 * The catalogue that the import step writes. It may not be there yet when a replica starts, and may be written
 * again later, so it is looked at afresh before each new lineup; a file that makes no sense changes nothing.
 */
export class CatalogueFile {
  readonly #store: ByteStore;
  #mark = "";
  #items: Catalogue = new Map();
  #current = new CatalogueIndex(this.#items);

  constructor(store: ByteStore) {
    this.#store = store;
  }

  get current(): CatalogueIndex {
    return this.#current;
  }

  get items(): Catalogue {
    return this.#items;
  }

  /** Reads the file if it has changed. @throws INVALID_DATA when it is not a catalogue */
  async refresh(): Promise<void> {
    const facts = await this.#store.find(CATALOGUE_FILE);
    if (facts === null || facts.mark === this.#mark) return;
    this.#items = await readCatalogue(this.#store);
    this.#current = new CatalogueIndex(this.#items);
    this.#mark = facts.mark;
  }
}
