import { MAX_PAGES, newMemory, PAGE_BYTES, type SharedMemory } from "./wasm.ts";

const ALIGNMENT = 64;

/**
 * Hands out arrays in one shared WebAssembly memory, one after the other; nothing is given back before the
 * whole arena is cleared or dropped. An array's `byteOffset` is its pointer inside the kernels.
 */
export class Arena {
  readonly memory: SharedMemory = newMemory();
  /** The first page is left alone, so that no array is at pointer 0. */
  #used = PAGE_BYTES;

  floats(length: number): Float32Array {
    return new Float32Array(...this.#take(length, 4));
  }

  words(length: number): Uint32Array {
    return new Uint32Array(...this.#take(length, 4));
  }

  shorts(length: number): Int16Array {
    return new Int16Array(...this.#take(length, 2));
  }

  bytes(length: number): Int8Array {
    return new Int8Array(...this.#take(length, 1));
  }

  floatsOf(values: Float32Array): Float32Array {
    const copy = this.floats(values.length);
    copy.set(values);
    return copy;
  }

  wordsOf(values: Uint32Array): Uint32Array {
    const copy = this.words(values.length);
    copy.set(values);
    return copy;
  }

  /** Takes every array back: their memory is handed out again, with what was left in it. */
  clear(): void {
    this.#used = PAGE_BYTES;
  }

  #take(length: number, elementBytes: number): [SharedArrayBuffer, number, number] {
    const start = this.#used;
    const end = start + Math.ceil((length * elementBytes) / ALIGNMENT) * ALIGNMENT;
    const pages = Math.ceil(end / PAGE_BYTES);
    if (pages > MAX_PAGES) {
      throw new RangeError(
        `kernels: expected at most 4 GiB of training arrays, got ${(end / 2 ** 30).toFixed(1)} GiB; lower embeddingSize or train on fewer interactions`,
      );
    }
    const missing = pages - this.memory.buffer.byteLength / PAGE_BYTES;
    if (missing > 0) this.memory.grow(missing);
    this.#used = end;
    return [this.memory.buffer, start, length];
  }
}
