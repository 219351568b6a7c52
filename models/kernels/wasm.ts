import { KERNELS_WASM } from "./generated/kernels.ts";

/** WebAssembly memory shared between threads; views over it stay valid when it grows. */
export interface SharedMemory {
  readonly buffer: SharedArrayBuffer;
  grow(pages: number): number;
}

/** A compiled module, opaque: it can be sent to a worker and instantiated there. */
export type KernelModule = object;

/**
 * Kernels that work on a range of rows and may run on several threads at once: called as
 * (from, to, scratch, ...arguments), pointers being byte offsets into the shared memory.
 * What each argument means is said beside its source in assembly/.
 */
export type ChunkedKernel =
  | "alsCholesky"
  | "alsConjugateGradient"
  | "factorPanels"
  | "gramChunk"
  | "mirrorPanels"
  | "nearestNeighbours"
  | "solvePanels";

export type Kernels = Readonly<Record<ChunkedKernel, (...args: number[]) => void>> & {
  alsScratchBytes(d: number): number;
  attendRows(
    projected: number,
    state: number,
    shares: number,
    from: number,
    length: number,
    row: number,
    scale: number,
  ): void;
  attendWindows(
    projected: number,
    shares: number,
    mask: number,
    out: number,
    scratch: number,
    windows: number,
    length: number,
    row: number,
    scale: number,
  ): void;
  attendWindowsBack(
    projected: number,
    shares: number,
    mask: number,
    dOut: number,
    dProjected: number,
    scratch: number,
    windows: number,
    length: number,
    row: number,
    scale: number,
  ): void;
  factorCorner(matrix: number, inverses: number, n: number, start: number): void;
  multiplyRows(
    x: number,
    w: number,
    bias: number,
    out: number,
    rows: number,
    row: number,
    columns: number,
    stride: number,
    mode: number,
  ): void;
  normRows(
    x: number,
    gain: number,
    bias: number,
    units: number,
    inverses: number,
    out: number,
    rows: number,
    row: number,
    d: number,
    epsilon: number,
  ): void;
  normRowsBack(
    dy: number,
    gain: number,
    units: number,
    inverses: number,
    dx: number,
    dGain: number,
    dBias: number,
    rows: number,
    row: number,
    d: number,
  ): void;
  neighbourScratchBytes(items: number): number;
  boundInt8(
    matrix: number,
    scales: number,
    slacks: number,
    query: number,
    queryScale: number,
    queryNorm: number,
    bounds: number,
    items: number,
    d: number,
  ): void;
  scoreFloat32(matrix: number, query: number, scores: number, items: number, d: number): void;
  scoreRows(matrix: number, query: number, rows: number, count: number, scores: number, d: number): void;
  sumHistoryRows(
    history: number,
    scales: number,
    length: number,
    starts: number,
    columns: number,
    weights: number,
    scores: number,
    items: number,
  ): number;
  sumPanelRows(starts: number, columns: number, rows: number, source: number, target: number): void;
  tallProduct(a: number, b: number, c: number, rows: number, aRow: number, bRow: number): void;
  topK(scores: number, items: number, k: number, heap: number): number;
};

/** The part of the WebAssembly interface used here; Node's types do not declare it. */
interface Engine {
  Module: new (bytes: Uint8Array) => KernelModule;
  Instance: new (module: KernelModule, imports: object) => { readonly exports: unknown };
  Memory: new (limits: { initial: number; maximum: number; shared: true }) => SharedMemory;
}
const engine = (globalThis as unknown as { WebAssembly: Engine }).WebAssembly;

export const PAGE_BYTES = 65_536;
/** 4 GiB: all that 32-bit pointers reach. Also the limit the kernels are built with. */
export const MAX_PAGES = 65_536;

let compiled: KernelModule | undefined;

/** The kernels, compiled once a process. */
export function kernelModule(): KernelModule {
  compiled ??= new engine.Module(Buffer.from(KERNELS_WASM, "base64"));
  return compiled;
}

/** Those of this thread that are still in use. */
const memories = new Set<WeakRef<SharedMemory>>();

export function newMemory(): SharedMemory {
  const memory = new engine.Memory({ initial: 1, maximum: MAX_PAGES, shared: true });
  memories.add(new WeakRef(memory));
  return memory;
}

/** Bytes of the kernels' memories in this thread. Being shared, they are in no statistics of its heap. */
export function kernelMemoryBytes(): number {
  let bytes = 0;
  for (const reference of memories) {
    const memory = reference.deref();
    if (memory === undefined) memories.delete(reference);
    else bytes += memory.buffer.byteLength;
  }
  return bytes;
}

export function instantiate(module: KernelModule, memory: SharedMemory): Kernels {
  const abort = (): never => {
    throw new Error("kernels: expected no abort; the build is not the one the loader was made for");
  };
  return new engine.Instance(module, { env: { memory, abort } }).exports as Kernels;
}
