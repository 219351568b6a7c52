import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { TextDecoder } from "node:util";
import * as zlib from "node:zlib";
import { PhasewiseError } from "../../errors.ts";
import { type Packing, packingOf } from "./packing.ts";
import { zstdLines } from "./zstd-lines.ts";

const PIECE_BYTES = 1 << 20;
const NEWLINE = 10;
const RETURN = 13;

/** What was found out about the letters of a file while it was read. */
export interface Reading {
  /** As a person would name it: "UTF-8", "UTF-16LE", … */
  encoding: string;
  /** Lines that were no UTF-8 and were read as Windows-1252, of which Latin-1 is a part. */
  foreignLines: number;
  /** Bytes read from disk so far: for progress. */
  bytesRead: number;
}

export const newReading = (): Reading => ({ encoding: "UTF-8", foreignLines: 0, bytesRead: 0 });

/**
 * A text file as UTF-8 pieces without a byte order mark, unpacked where it is packed. A piece ends after a line, or,
 * in lines longer than a piece, after a whole character; never between "\r" and "\n".
 *
 * @param encoding a label of the WHATWG encoding standard; null to find out
 * @throws INVALID_DATA when the file cannot be unpacked or the encoding has no such name
 */
export async function* textPieces(
  path: string,
  encoding: string | null,
  reading: Reading = newReading(),
): AsyncGenerator<Buffer> {
  const head = await headOf(path);
  const packing = packingOf(path, head);
  let pieces: AsyncIterable<Buffer> = unpacked(path, packing, reading);
  const first: Buffer[] = [];
  const iterator = pieces[Symbol.asyncIterator]();
  const start = await iterator.next();
  if (start.done === true) return;
  first.push(start.value);
  pieces = chained(first, iterator);
  const mark = encoding ?? byteOrder(start.value);
  if (mark === null || /^utf-?8$/i.test(mark)) {
    yield* checkedUtf8(pieces, reading);
    return;
  }
  yield* transcoded(pieces, decoderOf(mark, path), reading);
}

async function* chained(first: readonly Buffer[], rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* first;
    for (;;) {
      const { done, value } = await rest.next();
      if (done === true) return;
      yield value;
    }
  } finally {
    await rest.return?.();
  }
}

async function headOf(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function* unpacked(path: string, packing: Packing, reading: Reading): AsyncGenerator<Buffer> {
  const unpack = packing === "plain" ? null : unpackerOf(packing);
  const source = unpack === "lines" ? zstdLines(path) : streamed(path, unpack, reading);
  try {
    yield* source;
  } catch (error) {
    if (packing === "plain" || !(error instanceof Error)) throw error;
    throw new PhasewiseError(
      "INVALID_DATA",
      `${path}: expected a whole ${packing} file, got one that cannot be unpacked (${error.message}); ` +
        "copy or pack it anew",
      { path },
      error,
    );
  }
}

async function* streamed(path: string, unpack: zlib.Gunzip | null, reading: Reading): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { highWaterMark: PIECE_BYTES });
  const stream: Readable = unpack === null ? file : file.pipe(unpack);
  file.on("error", (error) => stream.destroy(error));
  try {
    for await (const piece of stream) {
      reading.bytesRead = file.bytesRead;
      yield piece as Buffer;
    }
  } finally {
    file.destroy();
    stream.destroy();
  }
}

/** "lines" where DuckDB has to stand in. */
function unpackerOf(packing: "gzip" | "zstd"): zlib.Gunzip | "lines" {
  if (packing === "gzip") return zlib.createGunzip({ chunkSize: PIECE_BYTES });
  // Node has it since 22.15; its types, pinned to Node 20, do not.
  const create: unknown = Reflect.get(zlib, "createZstdDecompress");
  return typeof create === "function" ? (create() as zlib.Gunzip) : "lines";
}

/** By the byte order mark, else by where zero bytes stand; null for anything in single bytes. */
function byteOrder(start: Buffer): string | null {
  if (start[0] === 0xff && start[1] === 0xfe) return "utf-16le";
  if (start[0] === 0xfe && start[1] === 0xff) return "utf-16be";
  const zeros = [0, 0];
  const length = Math.min(start.length, 4096);
  for (let at = 0; at < length; at++) if (start[at] === 0) zeros[at & 1]++;
  if (zeros[1] > length / 5 && zeros[0] < length / 50) return "utf-16le";
  return zeros[0] > length / 5 && zeros[1] < length / 50 ? "utf-16be" : null;
}

function decoderOf(label: string, path: string): TextDecoder {
  try {
    return new TextDecoder(label);
  } catch {
    throw new PhasewiseError(
      "INVALID_DATA",
      `${path}: expected the name of an encoding such as utf-8, latin1, windows-1251 or shift_jis, got "${label}"; correct --encoding`,
      { path, encoding: label },
    );
  }
}

async function* transcoded(
  pieces: AsyncIterable<Buffer>,
  decoder: TextDecoder,
  reading: Reading,
): AsyncGenerator<Buffer> {
  reading.encoding = decoder.encoding === "windows-1252" ? "Windows-1252" : decoder.encoding.toUpperCase();
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of pieces) {
    const text = Buffer.concat([rest, Buffer.from(decoder.decode(piece, { stream: true }))]);
    const cut = cutAt(text);
    rest = text.subarray(cut);
    if (cut > 0) yield text.subarray(0, cut);
  }
  const end = Buffer.concat([rest, Buffer.from(decoder.decode())]);
  if (end.length > 0) yield end;
}

async function* checkedUtf8(pieces: AsyncIterable<Buffer>, reading: Reading): AsyncGenerator<Buffer> {
  let rest: Buffer | null = null;
  let begun = false;
  for await (const read of pieces) {
    let piece: Buffer = rest === null || rest.length === 0 ? read : Buffer.concat([rest, read]);
    if (!begun) {
      begun = true;
      if (piece[0] === 0xef && piece[1] === 0xbb && piece[2] === 0xbf) piece = piece.subarray(3);
    }
    const cut = cutAt(piece);
    rest = piece.subarray(cut);
    if (cut > 0) yield repaired(piece.subarray(0, cut), reading);
  }
  if (rest !== null && rest.length > 0) yield repaired(rest, reading);
}

/** Where a piece may end: after its last line feed, else a carriage return, else a whole character. */
function cutAt(piece: Buffer): number {
  const line = piece.lastIndexOf(NEWLINE);
  if (line >= 0) return line + 1;
  const last = piece.length - 1;
  const back = piece.lastIndexOf(RETURN, last - 1);
  if (back >= 0 && last > 0) return back + 1;
  for (let at = last; at >= 0; at--) if (piece[at] < 0x80 && piece[at] !== RETURN) return at + 1;
  return 0;
}

/** The piece where it is UTF-8; else each line that is not, as Windows-1252. */
function repaired(piece: Buffer, reading: Reading): Buffer {
  if (isUtf8(piece)) return piece;
  const decoder = new TextDecoder("windows-1252");
  const lines: Buffer[] = [];
  let foreign = 0;
  for (let from = 0; from < piece.length; ) {
    let to = from;
    while (to < piece.length && piece[to] !== NEWLINE && piece[to] !== RETURN) to++;
    const line = piece.subarray(from, Math.min(to + 1, piece.length));
    if (isUtf8(line)) lines.push(line);
    else {
      foreign++;
      lines.push(Buffer.from(decoder.decode(line)));
    }
    from = to + 1;
  }
  reading.foreignLines += foreign;
  return Buffer.concat(lines);
}

/** The beginning of a text file. */
export interface TextSample {
  readonly text: Buffer;
  /** Whether that is all there is; else the last line may be torn. */
  readonly whole: boolean;
  readonly reading: Reading;
}

export async function sampleOf(path: string, encoding: string | null, bytes: number): Promise<TextSample> {
  const reading = newReading();
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of textPieces(path, encoding, reading)) {
    pieces.push(piece);
    length += piece.length;
    if (length > bytes) return { text: Buffer.concat(pieces).subarray(0, bytes), whole: false, reading };
  }
  return { text: Buffer.concat(pieces), whole: true, reading };
}
