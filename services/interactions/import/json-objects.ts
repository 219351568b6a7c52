import { literalValue } from "./python-literal.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

const NEWLINE = 10;
const QUOTE = 34;
const APOSTROPHE = 39;
const BACKSLASH = 92;
const OPEN = 123;
const CLOSE = 125;

/**
 * Finds the objects of a JSON text: one a line, in an array, or written over many lines; also the loose JSON that
 * Python prints ({'asin': 'B00', 'price': None}). Where each line is an object of its own, a broken one costs its
 * line only.
 */
export class JsonObjects {
  /** 1-based number of the line that the object began on. */
  line = 1;
  readonly #perLine: boolean;
  #rest: Buffer = Buffer.alloc(0);

  constructor(perLine: boolean) {
    this.#perLine = perLine;
  }

  feed(
    piece: Buffer,
    last: boolean,
    object: (object: JsonObject, text: string) => void,
    broken: (line: number, text: string) => void,
  ): void {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let at = 0;
    while (at < bytes.length) {
      const begin = this.#perLine ? at : this.#next(bytes, at);
      if (begin < 0) {
        at = bytes.length;
        break;
      }
      at = begin;
      const end = this.#perLine ? endOfLine(bytes, at, last) : endOfObject(bytes, at);
      if (end < 0) {
        if (!last) break;
        broken(this.line, bytes.toString("utf8", at, Math.min(bytes.length, at + 200)));
        at = bytes.length;
        break;
      }
      const text = bytes.toString("utf8", at, end);
      const found = this.#perLine
        ? text
            .trim()
            .replace(/^\[|[,\]]$/g, "")
            .trim()
        : text;
      if (found !== "") {
        const value = parsed(found);
        if (value === null) broken(this.line, found.slice(0, 200));
        else object(value, found);
      }
      for (let position = at; position < end; position++) if (bytes[position] === NEWLINE) this.line++;
      at = end;
      if (this.#perLine && at < bytes.length) {
        at++;
        this.line++;
      }
    }
    this.#rest = at < bytes.length ? Buffer.from(bytes.subarray(at)) : Buffer.alloc(0);
  }

  #next(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      if (bytes[at] === OPEN) return at;
      if (bytes[at] === NEWLINE) this.line++;
    }
    return -1;
  }
}

function endOfLine(bytes: Buffer, from: number, last: boolean): number {
  const end = bytes.indexOf(NEWLINE, from);
  return end < 0 && last ? bytes.length : end;
}

/** Past the brace that closes the object which opens at `from`; -1 when it does not close. */
function endOfObject(bytes: Buffer, from: number): number {
  let depth = 0;
  let inside = 0;
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inside !== 0) {
      if (byte === BACKSLASH) at++;
      else if (byte === inside) inside = 0;
    } else if (byte === QUOTE || byte === APOSTROPHE) inside = byte;
    else if (byte === OPEN) depth++;
    else if (byte === CLOSE && --depth === 0) return at + 1;
  }
  return -1;
}

function parsed(text: string): JsonObject | null {
  const value = strict(text) ?? literalValue(text);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

function strict(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether the first line that says anything is an object of its own. */
export function isObjectPerLine(sample: Buffer): boolean {
  const first = sample
    .toString("utf8")
    .split(/\r\n|\n|\r/)
    .find((line) => line.trim() !== "" && line.trim() !== "[");
  return (
    first !== undefined &&
    parsed(
      first
        .trim()
        .replace(/^\[|,$/g, "")
        .trim(),
    ) !== null
  );
}

/** Whether a text is JSON at all: its first letter opens an object, or an array of objects. */
export const looksLikeJson = (sample: Buffer): boolean =>
  /^\s*(\[\s*)?\{\s*(["'}]|$)/.test(sample.toString("latin1", 0, 4096));

/**
 * A scalar as the text a table would hold; a list or an object as JSON. An integer beyond what a double can tell
 * apart is read from the source, so that ids of 64 bits stay whole.
 */
export function cellText(object: JsonObject, key: string, source: string): string {
  const value = object[key];
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    const name = JSON.stringify(key).replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return new RegExp(`${name}\\s*:\\s*(-?\\d+)`).exec(source)?.[1] ?? String(value);
  }
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
