import type { NamedArray, TypedArray } from "../recipe.ts";
import {
  DTYPE_BYTES,
  type Dtype,
  type Header,
  METADATA_KEY,
  parseHeader,
  SafetensorsError,
  type TensorEntry,
} from "./safetensors-header.ts";

/**
 * The safetensors format (github.com/huggingface/safetensors): 8 bytes of little-endian header length, a JSON
 * header, then the arrays as raw little-endian bytes. The same arrays and metadata always give the same bytes:
 * arrays go by falling element size and then by name, which also keeps each of them aligned.
 */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, NamedArray>;
  readonly metadata: ReadonlyMap<string, string>;
}

const LENGTH_BYTES = 8;
const ALIGNMENT = 8;
/** The reference implementation's own limit is 100 MB; ours names a few dozen arrays. */
const MAX_HEADER_BYTES = 1_000_000;

const CONSTRUCTORS = { F32: Float32Array, I32: Int32Array, U32: Uint32Array, I8: Int8Array, U8: Uint8Array };
type StoredDtype = keyof typeof CONSTRUCTORS;

/** Elements of one array from bytes of its own; null leaves the array out. */
export type Decoder = (entry: TensorEntry, bytes: Uint8Array<ArrayBuffer>) => TypedArray | null;

export function writeSafetensors({ tensors, metadata }: Safetensors): Uint8Array {
  refuseBigEndian();
  const ordered = [...tensors].map(([name, array]) => ({ name, array, dtype: dtypeOf(name, array.data) }));
  ordered.sort((a, b) => DTYPE_BYTES[b.dtype] - DTYPE_BYTES[a.dtype] || (a.name < b.name ? -1 : 1));
  let end = 0;
  const entries = ordered.map(({ name, array, dtype }): [string, unknown] => {
    const begin = end;
    end += array.data.byteLength;
    return [name, { dtype, shape: array.shape, data_offsets: [begin, end] }];
  });
  const sorted = [...metadata].sort(([a], [b]) => (a < b ? -1 : 1));
  const json = JSON.stringify(Object.fromEntries([[METADATA_KEY, Object.fromEntries(sorted)], ...entries]));
  // The writer accepts exactly what the reader does.
  parseHeader(json, end);
  const text = new TextEncoder().encode(json);
  const headerBytes = Math.ceil(text.length / ALIGNMENT) * ALIGNMENT;
  if (headerBytes > MAX_HEADER_BYTES)
    throw new SafetensorsError(`expected a header of at most ${MAX_HEADER_BYTES} bytes`);

  const file = new Uint8Array(LENGTH_BYTES + headerBytes + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.fill(0x20, LENGTH_BYTES, LENGTH_BYTES + headerBytes);
  file.set(text, LENGTH_BYTES);
  let position = LENGTH_BYTES + headerBytes;
  for (const { name, array } of ordered) {
    refuseNonFinite(name, array.data);
    file.set(new Uint8Array(array.data.buffer, array.data.byteOffset, array.data.byteLength), position);
    position += array.data.byteLength;
  }
  return file;
}

/**
 * Reads untrusted bytes; the arrays are copies of their own.
 *
 * @param decode what becomes of each array (default: kept as it was written, other types than artifacts hold refused)
 * @throws SafetensorsError
 */
export function readSafetensors(file: Uint8Array, decode: Decoder = storedArray): Safetensors {
  refuseBigEndian();
  const { header, dataStart } = readHeader(file);
  const tensors = new Map<string, NamedArray>();
  for (const entry of header.entries) {
    const { name, shape, begin, end } = entry;
    const bytes = new Uint8Array(file.subarray(dataStart + begin, dataStart + end));
    const data = decode(entry, bytes);
    if (data === null) continue;
    refuseNonFinite(name, data);
    tensors.set(name, { shape, data });
  }
  return { tensors, metadata: header.metadata };
}

/** @throws SafetensorsError for a type that artifacts do not hold */
export const storedArray: Decoder = ({ name, dtype }, { buffer }) => {
  if (isStored(dtype)) return new CONSTRUCTORS[dtype](buffer);
  const known = Object.keys(CONSTRUCTORS).join(", ");
  throw new SafetensorsError(`expected a dtype of ${known} for "${name}", got "${dtype}"`);
};

export function isStored(dtype: Dtype): dtype is StoredDtype {
  return Object.hasOwn(CONSTRUCTORS, dtype);
}

function readHeader(file: Uint8Array): { header: Header; dataStart: number } {
  if (file.length < LENGTH_BYTES)
    throw new SafetensorsError(`expected at least ${LENGTH_BYTES} bytes, got ${file.length}`);
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  const available = Math.min(file.length - LENGTH_BYTES, MAX_HEADER_BYTES);
  if (length > BigInt(available))
    throw new SafetensorsError(`expected a header of at most ${available} bytes, got ${length}`);
  const dataStart = LENGTH_BYTES + Number(length);
  let json: string;
  try {
    json = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      file.subarray(LENGTH_BYTES, dataStart),
    );
  } catch {
    throw new SafetensorsError("expected a header in UTF-8");
  }
  return { header: parseHeader(json, file.length - dataStart), dataStart };
}

function dtypeOf(name: string, data: TypedArray): StoredDtype {
  for (const [dtype, kind] of Object.entries(CONSTRUCTORS))
    if (data instanceof kind) return dtype as StoredDtype;
  throw new SafetensorsError(`"${name}" is of no type the format knows`);
}

function refuseNonFinite(name: string, data: TypedArray): void {
  if (!(data instanceof Float32Array)) return;
  const index = data.findIndex((value) => !Number.isFinite(value));
  if (index >= 0)
    throw new SafetensorsError(`expected finite values in "${name}", got ${data[index]} at ${index}`);
}

/** Arrays are copied as they lie in memory, which must be the order of the format. */
function refuseBigEndian(): void {
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1)
    throw new SafetensorsError("expected a little-endian machine");
}
