import { MAX_ID_BYTES } from "../../../models/data/ids.ts";

/** Integers below this are looked up in a plain array, which is several times faster than hashing. */
const DIRECT_IDS = 1 << 26;
/** Digits of the longest of them. */
const DIRECT_DIGITS = 8;
const ZERO = 48;
const SPACE = 32;
const TAB = 9;

/** Ids cannot be told from their bytes. */
export const EMPTY = -1;
export const TOO_LONG = -2;

/**
 * Gives ids, as UTF-8 bytes, dense indices in order of first appearance. Canonical integers ("7", never "07" or
 * "7.0") go by their value, everything else by its bytes: both ways tell the same ids apart, so it does not matter
 * which of them a column holds, and no id is ever altered.
 */
export class IdInterner {
  readonly #wholeFloats: boolean;
  #direct = new Int32Array(1 << 16).fill(-1);
  /** (ids) an integer, or -1 - position in the bytes kept. */
  #kept = new Float64Array(1 << 12);
  #size = 0;
  #bytes = Buffer.alloc(1 << 16);
  #used = 0;
  /** Open addressing over ids that are no small integers; 0 is free, else index + 1. */
  #table = new Int32Array(1 << 12);
  #hashed = 0;
  /** Ids seen that end in ".0" and those that do not, when such ends are left off. */
  otherThanFloats = 0;

  /** @param wholeFloats whether "7.0" means 7, as in a column that pandas turned into floats */
  constructor(wholeFloats = false) {
    this.#wholeFloats = wholeFloats;
  }

  get size(): number {
    return this.#size;
  }

  /** Index of the id in `bytes[from…to]`, spaces and tabs around it left off; EMPTY or TOO_LONG when it is none. */
  indexOf(bytes: Uint8Array, from: number, to: number): number {
    let start = from;
    let end = to;
    while (start < end && (bytes[start] === SPACE || bytes[start] === TAB)) start++;
    while (end > start && (bytes[end - 1] === SPACE || bytes[end - 1] === TAB)) end--;
    if (end === start) return EMPTY;
    if (this.#wholeFloats) {
      if (end - start > 2 && bytes[end - 1] === ZERO && bytes[end - 2] === 46) end -= 2;
      else this.otherThanFloats++;
    }
    const length = end - start;
    if (length <= DIRECT_DIGITS && (bytes[start] !== ZERO || length === 1)) {
      let value = 0;
      let at = start;
      for (; at < end; at++) {
        const digit = bytes[at] - ZERO;
        if (digit < 0 || digit > 9) break;
        value = value * 10 + digit;
      }
      if (at === end && value < DIRECT_IDS)
        return this.#direct[value] >= 0 ? this.#direct[value] : this.#addInteger(value);
    }
    if (length > MAX_ID_BYTES) return TOO_LONG;
    return this.#hash(bytes, start, end);
  }

  #addInteger(value: number): number {
    if (value >= this.#direct.length) {
      const wider = new Int32Array(Math.min(DIRECT_IDS, Math.max(this.#direct.length * 2, value + 1))).fill(
        -1,
      );
      wider.set(this.#direct);
      this.#direct = wider;
    }
    if (this.#direct[value] >= 0) return this.#direct[value];
    this.#direct[value] = this.#add(value);
    return this.#direct[value];
  }

  #add(kept: number): number {
    if (this.#size === this.#kept.length) {
      const wider = new Float64Array(this.#size * 2);
      wider.set(this.#kept);
      this.#kept = wider;
    }
    this.#kept[this.#size] = kept;
    return this.#size++;
  }

  /** FNV-1a over the bytes, linear probing. */
  #hash(bytes: Uint8Array, start: number, end: number): number {
    let hash = 0x811c9dc5;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at], 0x01000193);
    hash ^= hash >>> 15;
    const mask = this.#table.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#table[slot];
      if (entry === 0) {
        const index = this.#addBytes(bytes, start, end, hash);
        this.#table[slot] = index + 1;
        if (++this.#hashed * 2 > this.#table.length) this.#rehash();
        return index;
      }
      if (this.#same(entry - 1, bytes, start, end, hash)) return entry - 1;
    }
  }

  /** An id is kept as its length (2 bytes), its hash (4 bytes) and its bytes. */
  #addBytes(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const length = end - start;
    if (this.#used + length + 6 > this.#bytes.length) {
      const wider = Buffer.alloc(Math.max(this.#bytes.length * 2, this.#used + length + 6));
      this.#bytes.copy(wider, 0, 0, this.#used);
      this.#bytes = wider;
    }
    const position = this.#used;
    this.#bytes.writeUInt16LE(length, position);
    this.#bytes.writeInt32LE(hash, position + 2);
    this.#bytes.set(bytes.subarray(start, end), position + 6);
    this.#used += length + 6;
    return this.#add(-1 - position);
  }

  #same(index: number, bytes: Uint8Array, start: number, end: number, hash: number): boolean {
    const position = -1 - this.#kept[index];
    if (this.#bytes.readInt32LE(position + 2) !== hash) return false;
    if (this.#bytes.readUInt16LE(position) !== end - start) return false;
    for (let at = start, kept = position + 6; at < end; at++, kept++) {
      if (this.#bytes[kept] !== bytes[at]) return false;
    }
    return true;
  }

  #rehash(): void {
    const wider = new Int32Array(this.#table.length * 4);
    const mask = wider.length - 1;
    for (const entry of this.#table) {
      if (entry === 0) continue;
      let slot = this.#bytes.readInt32LE(-1 - this.#kept[entry - 1] + 2) & mask;
      while (wider[slot] !== 0) slot = (slot + 1) & mask;
      wider[slot] = entry;
    }
    this.#table = wider;
  }

  /** The id as it was written. */
  textAt(index: number): string {
    const kept = this.#kept[index];
    if (kept >= 0) return String(kept);
    const position = -1 - kept;
    return this.#bytes.toString("utf8", position + 6, position + 6 + this.#bytes.readUInt16LE(position));
  }

  texts(): string[] {
    return Array.from({ length: this.#size }, (_, index) => this.textAt(index));
  }
}
