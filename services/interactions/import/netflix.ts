import { CsvReader } from "./csv-reader.ts";
import type { Row } from "./event-sink.ts";
import { TextRow } from "./text-row.ts";

/** Columns of the events that the blocks are turned into. */
export const NETFLIX_NAMES = ["movie", "user", "rating", "date"] as const;

/** The Netflix Prize: a line "17:" names a film, and each line under it is user,rating,date. */
export class NetflixLines {
  readonly #reader = new CsvReader({ delimiter: ",", backslash: false }, null);
  readonly #row = new TextRow();
  #movie = "";

  feed(
    piece: Buffer,
    last: boolean,
    row: (row: Row) => void,
    broken: (line: number, text: string) => void,
  ): void {
    const reader = this.#reader;
    reader.feed(
      piece,
      last,
      () => {
        const cells = reader.texts();
        const film = cells.length === 1 ? /^\s*(\d+):\s*$/.exec(cells[0]) : null;
        if (film !== null) {
          this.#movie = film[1];
        } else if (cells.length !== 3 || this.#movie === "") broken(reader.line, cells.join(","));
        else {
          this.#row.set([this.#movie, ...cells], reader.line);
          row(this.#row);
        }
      },
      (line, _cells, text) => broken(line, text),
    );
  }
}
