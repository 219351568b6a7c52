import { OperationMemory, operationMemory, rowWidth } from "./operation-memory.ts";
import type { TensorFlow } from "./tensorflow.ts";

interface HeapTensor {
  readonly dataId: object;
  readonly shape: number[];
  readonly dtype: "float32" | "int32";
}

/** What is used of tfjs-backend-wasm's BackendWasm: its heap, its allocator and its table of tensors. */
interface WasmBackend {
  readonly wasm: {
    cwrap(name: string, result: null, parameters: readonly string[]): (...values: unknown[]) => void;
    readonly tfjs: { disposeData(id: number): void };
  };
  readonly dataIdMap: {
    get(dataId: object): { readonly id: number; readonly memoryOffset: number };
    delete(dataId: object): void;
  };
  makeOutput(shape: readonly number[], dtype: string, memoryOffset?: number): HeapTensor;
  typedArrayFromHeap(tensor: HeapTensor): Float32Array;
  disposeData(dataId: object): boolean;
  incRef(dataId: object): void;
}

/** Arguments as the kernel registry hands them over. */
interface KernelCall<Inputs, Attributes> {
  readonly inputs: Inputs;
  readonly attrs: Attributes;
  readonly backend: WasmBackend;
}
type MatMulCall = KernelCall<
  { readonly a: HeapTensor; readonly b: HeapTensor },
  { readonly transposeA: boolean; readonly transposeB: boolean }
>;
type SegmentSumCall = KernelCall<
  { readonly x: HeapTensor; readonly segmentIds: HeapTensor },
  { readonly numSegments: number }
>;

const BYTES_PER_FLOAT = 4;
const product = (shape: readonly number[]): number => shape.reduce((size, side) => size * side, 1);

/**
 * Three things the WebAssembly backend of TensorFlow.js 4.22 lacks for training:
 * - UnsortedSegmentSum, the gradient of gather, is not there at all;
 * - matrix products that are transposed or batched take a scalar loop, 10 times slower than XNNPACK;
 * - clones, which the gradient tape makes of all it keeps, are real copies.
 */
export function registerTrainingKernels(tf: TensorFlow): void {
  if (registrations.has(tf)) return;
  registrations.add(tf);
  const register = (kernelName: string, kernel: (call: never) => HeapTensor): void => {
    tf.unregisterKernel(kernelName, "wasm");
    tf.registerKernel({ kernelName, backendName: "wasm", kernelFunc: kernel as never });
  };
  tf.registerKernel({
    kernelName: "UnsortedSegmentSum",
    backendName: "wasm",
    kernelFunc: unsortedSegmentSum as never,
  });
  register("Identity", identity as (call: never) => HeapTensor);
  register("BatchMatMul", batchMatMul(tf) as (call: never) => HeapTensor);
}
const registrations = new WeakSet<TensorFlow>();

/** A clone shares its memory and counts one more owner, as reshape's result does. */
function identity({ inputs, backend }: KernelCall<{ readonly x: HeapTensor }, unknown>): HeapTensor {
  const { dataId, shape, dtype } = inputs.x;
  backend.incRef(dataId);
  return { dataId, shape, dtype };
}

/** out[segmentIds[r]] += x[r] over rows r; rows of a negative segment are dropped. */
function unsortedSegmentSum({ inputs, attrs, backend }: SegmentSumCall): HeapTensor {
  const { x, segmentIds } = inputs;
  const rowShape = x.shape.slice(segmentIds.shape.length);
  const width = product(rowShape);
  const out = backend.makeOutput([attrs.numSegments, ...rowShape], "float32");
  // Views come after the allocation: growing the heap detaches earlier ones.
  const rows = backend.typedArrayFromHeap(x);
  const segments = backend.typedArrayFromHeap(segmentIds);
  const sums = backend.typedArrayFromHeap(out).fill(0);
  for (let row = 0; row < segments.length; row++) {
    if (segments[row] < 0) continue;
    const target = segments[row] * width;
    const source = row * width;
    for (let column = 0; column < width; column++) sums[target + column] += rows[source + column];
  }
  return out;
}

/**
 * a (batch × m × k) · b (batch × k × n): transposed operands are transposed explicitly, and each matrix of a batch
 * goes through the same XNNPACK call that stock kernels reserve for a batch of one. aᵀ·b alone goes elsewhere.
 */
function batchMatMul(tf: TensorFlow): (call: MatMulCall) => HeapTensor {
  const transpose = kernelOf(tf, "Transpose");
  let multiply: ((...values: unknown[]) => void) | undefined;

  return ({ inputs, attrs, backend }: MatMulCall): HeapTensor => {
    const flat = inputs.a.shape.length === 2 && inputs.b.shape.length === 2;
    if (flat && attrs.transposeA && !attrs.transposeB) return productOfTall(inputs, backend);
    multiply ??= backend.wasm.cwrap("BatchMatMul", null, MATMUL_SIGNATURE);
    const temporary: HeapTensor[] = [];
    const plain = (operand: HeapTensor, transposed: boolean): HeapTensor => {
      if (!transposed) return operand;
      const perm = operand.shape.map((_, axis) => axis);
      perm.push(...perm.splice(-2).reverse());
      const swapped = transpose({ inputs: { x: operand }, attrs: { perm }, backend });
      temporary.push(swapped);
      return swapped;
    };
    const a = plain(inputs.a, attrs.transposeA);
    const b = plain(inputs.b, attrs.transposeB);
    const [m, k] = a.shape.slice(-2);
    const n = b.shape[b.shape.length - 1];
    const outer = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
    const batches = product(outer);
    const batchesOf = (tensor: HeapTensor): number => product(tensor.shape.slice(0, -2));
    if (
      a.shape[a.shape.length - 1] !== b.shape[b.shape.length - 2] ||
      ![1, batches].includes(batchesOf(a)) ||
      ![1, batches].includes(batchesOf(b))
    ) {
      throw new RangeError(`matMul: expected shapes that multiply, got ${a.shape} and ${b.shape}`);
    }
    const out = backend.makeOutput([...outer, m, n], "float32");
    const aBytes = Uint8Array.from(new Uint8Array(Int32Array.of(1, m, k).buffer));
    const bBytes = Uint8Array.from(new Uint8Array(Int32Array.of(1, k, n).buffer));
    const views = [
      viewer(backend, a, [1, m, k], batchesOf(a)),
      viewer(backend, b, [1, k, n], batchesOf(b)),
      viewer(backend, out, [1, m, n], batches),
    ];
    for (let batch = 0; batch < batches; batch++) {
      const [left, right, result] = views.map((view) => view(batch));
      multiply(left.id, aBytes, 3, right.id, bBytes, 3, 0, 0, result.id);
      // XNNPACK caches the packed right-hand side by tensor id: forgetting the view is what frees it.
      for (const view of [left, right, result]) view.forget();
    }
    for (const tensor of temporary) backend.disposeData(tensor.dataId);
    return out;
  };
}

/** aᵀ·b over many rows, the gradient of a weight: XNNPACK would transpose the one and repack the other. */
function productOfTall({ a, b }: MatMulCall["inputs"], backend: WasmBackend): HeapTensor {
  const [rows, m] = a.shape;
  const n = b.shape[1];
  if (b.shape[0] !== rows) {
    throw new RangeError(`matMul: expected shapes that multiply, got ${a.shape} transposed and ${b.shape}`);
  }
  const out = backend.makeOutput([m, n], "float32");
  const memory = operationMemory();
  memory.begin();
  const product = memory.space(rowWidth(m) * rowWidth(n));
  memory.kernels.tallProduct(
    memory.rows(backend.typedArrayFromHeap(a), m).byteOffset,
    memory.rows(backend.typedArrayFromHeap(b), n).byteOffset,
    product.byteOffset,
    rows,
    4 * rowWidth(m),
    4 * rowWidth(n),
  );
  backend.typedArrayFromHeap(out).set(OperationMemory.packed(product.subarray(0, m * rowWidth(n)), n));
  return out;
}

const MATMUL_SIGNATURE = [
  "number",
  "array",
  "number",
  "number",
  "array",
  "number",
  "number",
  "number",
  "number",
];

function kernelOf(tf: TensorFlow, name: string): (call: KernelCall<unknown, unknown>) => HeapTensor {
  const kernel = tf.getKernel(name, "wasm");
  if (kernel === undefined) throw new Error(`TensorFlow.js: expected the wasm kernel ${name}, got none`);
  return kernel.kernelFunc as never;
}

/**
 * Registers the matrix at a batch index as a tensor of its own over the same memory; it must be forgotten, not disposed.
 */
function viewer(backend: WasmBackend, tensor: HeapTensor, shape: readonly number[], batches: number) {
  const start = backend.dataIdMap.get(tensor.dataId).memoryOffset;
  const stride = batches === 1 ? 0 : product(shape) * BYTES_PER_FLOAT;
  return (batch: number) => {
    const { dataId } = backend.makeOutput(shape, "float32", start + batch * stride);
    const { id } = backend.dataIdMap.get(dataId);
    const forget = (): void => {
      backend.wasm.tfjs.disposeData(id);
      backend.dataIdMap.delete(dataId);
    };
    return { id, forget };
  };
}
