import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { Arena } from "./arena.ts";
import { type ChunkedKernel, instantiate, type Kernels, kernelModule } from "./wasm.ts";

/**
 * Threads that share one WebAssembly memory and the rows of one kernel at a time.
 *
 * Protocol, all in the words of `control`: the caller writes the call (kernel, rows, chunk, arguments), puts
 * NEXT_ROW and FINISHED to 0 and raises GENERATION. Every thread, the caller too, takes the next `chunk` rows off
 * NEXT_ROW until none is left, then raises FINISHED. A row is computed the same way whoever computes it and
 * writes only its own outputs, so results do not depend on the number of threads.
 */
export const NEXT_ROW = 0;
export const GENERATION = 1;
export const FINISHED = 2;
export const FAILED = 3;
export const KERNEL = 4;
export const ROWS = 5;
export const CHUNK = 6;
export const ARGUMENT_COUNT = 7;
export const CONTROL_WORDS = 8;

/** Index in this list is the KERNEL word; STOP ends the thread. */
export const CHUNKED: readonly ChunkedKernel[] = [
  "alsCholesky",
  "alsConjugateGradient",
  "factorPanels",
  "gramChunk",
  "mirrorPanels",
  "nearestNeighbours",
  "solvePanels",
];
export const STOP = CHUNKED.length;

/** Everything a thread needs to take part; the views share one memory. */
export interface Seat {
  readonly control: Int32Array;
  /** (16) float64: pointers and float32 values both survive in it. */
  readonly callArguments: Float64Array;
  readonly scratch: number;
}

export class KernelPool {
  readonly arena: Arena;
  readonly kernels: Kernels;
  readonly #seat: Seat;
  readonly #workers: readonly Worker[];

  private constructor(arena: Arena, kernels: Kernels, seat: Seat, workers: readonly Worker[]) {
    this.arena = arena;
    this.kernels = kernels;
    this.#seat = seat;
    this.#workers = workers;
  }

  /** Opens `threads` threads, the calling one included, each with its own zeroed scratch. Close it after use. */
  static async open(threads: number, scratchBytes: (kernels: Kernels) => number): Promise<KernelPool> {
    if (!Number.isInteger(threads) || threads < 1) {
      throw new RangeError(`threads: expected a positive integer, got ${threads}`);
    }
    const arena = new Arena();
    const kernels = instantiate(kernelModule(), arena.memory);
    const bytes = scratchBytes(kernels);
    const words = arena.words(CONTROL_WORDS);
    const control = new Int32Array(words.buffer, words.byteOffset, CONTROL_WORDS);
    const args = arena.words(32);
    const callArguments = new Float64Array(args.buffer, args.byteOffset, 16);
    const seats = Array.from({ length: threads }, () => {
      return { control, callArguments, scratch: arena.bytes(bytes).byteOffset };
    });
    const workers = seats.slice(1).map((seat) => {
      return new Worker(new URL("./pool-worker.js", import.meta.url), {
        workerData: { module: kernelModule(), memory: arena.memory, seat },
        // Flags of the process (an inspector, a script given on the command line) are not the threads' concern.
        execArgv: [],
      });
    });
    const pool = new KernelPool(arena, kernels, seats[0], workers);
    try {
      await Promise.all(workers.map((worker) => once(worker, "message")));
      // A pool that is never closed must not keep the process alive.
      for (const worker of workers) worker.unref();
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  /**
   * Calls `kernel` over rows 0 … rows−1 in chunks and returns when all are done. Blocks the calling thread, which
   * works along.
   */
  run(kernel: ChunkedKernel, rows: number, chunk: number, args: readonly number[]): void {
    const { control, callArguments } = this.#seat;
    callArguments.set(args);
    control[KERNEL] = CHUNKED.indexOf(kernel);
    control[ROWS] = rows;
    control[CHUNK] = chunk;
    control[ARGUMENT_COUNT] = args.length;
    Atomics.store(control, NEXT_ROW, 0);
    Atomics.store(control, FINISHED, 0);
    Atomics.add(control, GENERATION, 1);
    Atomics.notify(control, GENERATION);
    work(this.kernels, this.#seat);
    for (;;) {
      const finished = Atomics.load(control, FINISHED);
      if (finished === this.#workers.length) break;
      Atomics.wait(control, FINISHED, finished);
    }
    if (Atomics.load(control, FAILED) !== 0) throw new Error(`kernels: ${kernel} failed on another thread`);
  }

  /** Ends the threads; resolves when they are gone. */
  async close(): Promise<void> {
    const { control } = this.#seat;
    const running = this.#workers.filter((worker) => worker.threadId >= 0);
    const exits = running.map((worker) => {
      worker.ref();
      return once(worker, "exit");
    });
    control[KERNEL] = STOP;
    Atomics.add(control, GENERATION, 1);
    Atomics.notify(control, GENERATION);
    await Promise.all(exits);
  }
}

/** One thread's share of the present call. */
export function work(kernels: Kernels, { control, callArguments, scratch }: Seat): void {
  const kernel = kernels[CHUNKED[control[KERNEL]]];
  const args = Array.from(callArguments.subarray(0, control[ARGUMENT_COUNT]));
  const rows = control[ROWS];
  const chunk = control[CHUNK];
  for (;;) {
    const from = Atomics.add(control, NEXT_ROW, chunk);
    if (from >= rows) return;
    kernel(from, Math.min(rows, from + chunk), scratch, ...args);
  }
}
