/** How cells and rows are written. */
export interface Dialect {
  /** One or two ASCII characters; a space stands for any number of them. */
  readonly delimiter: string;
  /** Whether a quote inside a quoted cell is written \" and not "". */
  readonly backslash: boolean;
  /** Whether delimiters beyond the last column belong to its text. */
  readonly restInLast?: boolean;
}

/** A line that is no row. */
export type BrokenLine = (line: number, cells: number, text: string) => void;

const QUOTE = 34;
const BACKSLASH = 92;
const SPACE = 32;
const NEWLINE = 10;
const RETURN = 13;

/** Lines a quoted cell may span: a stray quote must not swallow the rest of a file. */
const LONGEST_CELL_LINES = 1000;
const LONGEST_CELL_BYTES = 1 << 20;
const SHOWN_BYTES = 200;
const INCOMPLETE = -1;
const NO_ROW = -2;

/**
 * Reads delimited text as RFC 4180 means it, and as people write it: any newline, a quote inside an unquoted cell, a
 * quoted cell that never ends. A quote that leads to no row of the expected width is taken as a letter; a line that is
 * no row even so is reported and skipped, and the next line is read as usual.
 *
 * After each `row` call, cell c is `bytes[starts[c]…ends[c]]`, with doubled quotes still doubled where `escaped[c]`.
 */
export class CsvReader {
  bytes: Buffer = Buffer.alloc(0);
  starts = new Int32Array(64);
  ends = new Int32Array(64);
  escaped = new Uint8Array(64);
  cells = 0;
  /** 1-based number of the line that the row began on. */
  line = 1;
  /** Cells a row must have; null to take any. */
  width: number | null;
  readonly #first: number;
  readonly #second: number;
  readonly #backslash: boolean;
  readonly #spaces: boolean;
  readonly #restInLast: boolean;
  /** 1 for bytes that may end an unquoted cell, none of which is above the limit. */
  readonly #stops = new Uint8Array(256);
  readonly #limit: number;
  /** Whether a cell has been escaped since the marks were last cleared. */
  #marked = false;
  #rest: Buffer = Buffer.alloc(0);
  #end = 0;
  #last = false;
  #lines = 0;
  #wasReturn = false;

  constructor(dialect: Dialect, width: number | null) {
    this.width = width;
    this.#first = dialect.delimiter.charCodeAt(0);
    this.#second = dialect.delimiter.length > 1 ? dialect.delimiter.charCodeAt(1) : -1;
    this.#backslash = dialect.backslash;
    this.#spaces = dialect.delimiter === " ";
    this.#restInLast = dialect.restInLast === true;
    for (const byte of [this.#first, NEWLINE, RETURN]) this.#stops[byte] = 1;
    this.#limit = Math.max(this.#first, RETURN);
  }

  /** @param last whether nothing comes after this piece */
  feed(piece: Buffer, last: boolean, row: (reader: this) => void, broken: BrokenLine): void {
    this.bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    this.#end = this.bytes.length;
    this.#last = last;
    let at = 0;
    while (at < this.#end) {
      const byte = this.bytes[at];
      if (byte === NEWLINE || byte === RETURN) {
        at = this.#newline(at);
        continue;
      }
      this.#wasReturn = false;
      this.#lines = 0;
      let next = this.#record(at, true);
      if (next === NO_ROW) {
        this.#lines = 0;
        next = this.#record(at, false);
      }
      if (next === INCOMPLETE) break;
      if (next === NO_ROW) {
        next = this.#endOfLine(at);
        broken(this.line, this.cells, this.bytes.toString("utf8", at, Math.min(next, at + SHOWN_BYTES)));
      } else {
        if (this.cells > 0) row(this);
        this.line += this.#lines;
      }
      at = next;
    }
    this.#rest = at < this.#end ? Buffer.from(this.bytes.subarray(at)) : Buffer.alloc(0);
  }

  /** Past one newline; "\r\n" is one, also across two pieces. */
  #newline(at: number): number {
    const byte = this.bytes[at];
    if (byte === NEWLINE && this.#wasReturn) {
      this.#wasReturn = false;
      return at + 1;
    }
    this.line++;
    this.#wasReturn = byte === RETURN;
    return at + 1;
  }

  #endOfLine(at: number): number {
    let to = at;
    while (to < this.#end && this.bytes[to] !== NEWLINE && this.bytes[to] !== RETURN) to++;
    return to;
  }

  /** Reads the record at `at`; returns where its line ends, INCOMPLETE, or NO_ROW. */
  #record(at: number, quotes: boolean): number {
    const { bytes } = this;
    const end = this.#end;
    const stops = this.#stops;
    const first = this.#first;
    const limit = this.#limit;
    const spaces = this.#spaces;
    let { starts, ends } = this;
    let cell = 0;
    let position = at;
    if (this.#marked) {
      this.escaped.fill(0);
      this.#marked = false;
    }
    for (;;) {
      if (spaces) while (position < end && bytes[position] === SPACE) position++;
      if (cell === starts.length) {
        this.#widen();
        ({ starts, ends } = this);
      }
      if (quotes && bytes[position] === QUOTE) {
        starts[cell] = position + 1;
        position = this.#quoted(position + 1, cell);
        if (position < 0) return position;
      } else {
        starts[cell] = position;
        // Beyond the last byte there is none, which ends the loop as a stop does.
        let byte = bytes[position];
        for (;;) {
          while (byte > limit || stops[byte] === 0) byte = bytes[++position];
          if (byte !== first || this.#delimits(position)) break;
          byte = bytes[++position];
        }
        ends[cell] = position;
      }
      cell++;
      if (position >= end) {
        if (!this.#last) return INCOMPLETE;
        break;
      }
      if (bytes[position] !== first) break;
      position += this.#second < 0 ? 1 : 2;
    }
    return this.#fits(cell) ? position : NO_ROW;
  }

  /** Empty cells beyond the width are delimiters at the end of a line. */
  #fits(cells: number): boolean {
    let count = cells;
    const least = this.#spaces ? 1 : (this.width ?? cells);
    while (count > least && this.starts[count - 1] === this.ends[count - 1]) count--;
    if (this.#restInLast && this.width !== null && count > this.width) {
      this.ends[this.width - 1] = this.ends[count - 1];
      count = this.width;
    }
    this.cells = count;
    return this.width === null || count === this.width;
  }

  #delimits(at: number): boolean {
    return this.#second < 0 || this.bytes[at + 1] === this.#second;
  }

  /** From after the opening quote to after the closing one, which must end the cell. */
  #quoted(from: number, cell: number): number {
    const { bytes } = this;
    const end = this.#end;
    let position = from;
    for (;;) {
      if (position >= end)
        return this.#last ? NO_ROW : position - from > LONGEST_CELL_BYTES ? NO_ROW : INCOMPLETE;
      const byte = bytes[position];
      if (byte === QUOTE) {
        if (bytes[position + 1] === QUOTE && position + 1 < end) {
          this.escaped[cell] = 1;
          this.#marked = true;
          position += 2;
          continue;
        }
        if (position + 1 >= end && !this.#last) return INCOMPLETE;
        this.ends[cell] = position;
        const after = this.#spaces ? position + 1 : this.#pastSpaces(position + 1);
        const closes =
          after >= end ||
          bytes[after] === NEWLINE ||
          bytes[after] === RETURN ||
          (bytes[after] === this.#first && this.#delimits(after));
        return closes ? after : NO_ROW;
      }
      if (byte === BACKSLASH && this.#backslash) {
        this.escaped[cell] = 1;
        this.#marked = true;
        position += 2;
        continue;
      }
      if (byte === NEWLINE || (byte === RETURN && bytes[position + 1] !== NEWLINE)) {
        if (++this.#lines > LONGEST_CELL_LINES) return NO_ROW;
      }
      position++;
    }
  }

  #pastSpaces(from: number): number {
    let at = from;
    while (at < this.#end && this.bytes[at] === SPACE) at++;
    return at;
  }

  #widen(): void {
    const wider = (): Int32Array<ArrayBuffer> => new Int32Array(this.starts.length * 2);
    const [starts, ends] = [wider(), wider()];
    const escaped = new Uint8Array(starts.length);
    starts.set(this.starts);
    ends.set(this.ends);
    escaped.set(this.escaped);
    Object.assign(this, { starts, ends, escaped });
  }

  /** One cell as text, without its quotes. */
  text(cell: number): string {
    const text = this.bytes.toString("utf8", this.starts[cell], this.ends[cell]);
    if (this.escaped[cell] === 0) return text;
    return this.#backslash
      ? text.replaceAll(/\\(["\\])|""/g, (_, letter?: string) => letter ?? '"')
      : text.replaceAll('""', '"');
  }

  texts(): string[] {
    return Array.from({ length: this.cells }, (_, cell) => this.text(cell));
  }
}

/** Every row of a text in memory. */
export function rowsOfText(
  text: Buffer,
  dialect: Dialect,
  whole: boolean,
  width: number | null = null,
): { readonly rows: string[][]; readonly broken: number } {
  const reader = new CsvReader(dialect, width);
  const rows: string[][] = [];
  let broken = 0;
  reader.feed(
    text,
    whole,
    () => rows.push(reader.texts()),
    () => broken++,
  );
  return { rows, broken };
}
