import { stat } from "node:fs/promises";
import { readCatalogue } from "../interactions/catalogue-file.ts";
import { CatalogueIndex } from "./catalogue-index.ts";

/**
 * The catalogue that the import step writes. It may not be there yet when a replica starts, and may be written
 * again later, so it is looked at afresh before each new lineup; a file that makes no sense changes nothing.
 */
export class CatalogueFile {
  readonly #path: string;
  #mark = "";
  #current = new CatalogueIndex(new Map());

  constructor(path: string) {
    this.#path = path;
  }

  get current(): CatalogueIndex {
    return this.#current;
  }

  /** Reads the file if it has changed. @throws INVALID_DATA when it is not a catalogue */
  async refresh(): Promise<void> {
    const mark = await this.#changeMark();
    if (mark === null || mark === this.#mark) return;
    this.#current = new CatalogueIndex(await readCatalogue(this.#path));
    this.#mark = mark;
  }

  async #changeMark(): Promise<string | null> {
    try {
      const { mtimeMs, size, ino } = await stat(this.#path);
      return `${ino}:${size}:${mtimeMs}`;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
  }
}
