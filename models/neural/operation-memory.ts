import { Arena } from "../kernels/arena.ts";
import { paddedTo, withoutPadding } from "../kernels/padding.ts";
import { instantiate, type Kernels, kernelModule } from "../kernels/wasm.ts";

/**
 * The kernels with memory for one operation of a training step at a time. Rows of d values are padded to whole vectors on
 * their way in and are packed again on their way out: a copy each, so that nothing a tensor holds is overwritten by the
 * next operation.
 */
export class OperationMemory {
  readonly #arena = new Arena();
  readonly kernels: Kernels = instantiate(kernelModule(), this.#arena.memory);

  /** Forgets what the operation before laid out. */
  begin(): void {
    this.#arena.clear();
  }

  /** Values that are overwritten by a kernel. */
  space(length: number): Float32Array {
    return this.#arena.floats(length);
  }

  /** Copies (rows × d) in. */
  rows(values: Float32Array, d: number): Float32Array {
    const width = rowWidth(d);
    if (width === d) return this.#arena.floatsOf(values);
    const copy = this.#arena.floats((values.length / d) * width).fill(0);
    for (let from = 0, to = 0; from < values.length; from += d, to += width) {
      copy.set(values.subarray(from, from + d), to);
    }
    return copy;
  }

  /** Copies (rows × d) out. */
  static packed(values: Float32Array, d: number): Float32Array {
    const width = rowWidth(d);
    return width === d ? values.slice() : withoutPadding(values, d, width);
  }
}

/** Values a row of d takes in the kernels' memory. */
export function rowWidth(d: number): number {
  return paddedTo(8, d);
}

let memory: OperationMemory | undefined;

/** One a thread, made when first asked for. */
export function operationMemory(): OperationMemory {
  memory ??= new OperationMemory();
  return memory;
}
