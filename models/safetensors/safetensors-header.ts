/**
 * The JSON header of a safetensors file, read as untrusted input. What must hold is what the reference
 * implementation (huggingface/safetensors, `SafeTensors::read_metadata`) demands, plus what JSON.parse lets through:
 * no name twice, no `__proto__`. Arrays tile the data from its first byte to its last: no gap, no overlap.
 */

/** Bytes an element takes, of every type of the format that takes whole bytes; those that artifacts hold come first. */
export const DTYPE_BYTES = {
  F32: 4,
  I32: 4,
  U32: 4,
  I8: 1,
  U8: 1,
  F64: 8,
  F16: 2,
  BF16: 2,
  I64: 8,
  U64: 8,
  I16: 2,
  U16: 2,
  BOOL: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
} as const;
export type Dtype = keyof typeof DTYPE_BYTES;

export interface TensorEntry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Bytes from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** In the order of their bytes. */
  readonly entries: readonly TensorEntry[];
  readonly metadata: ReadonlyMap<string, string>;
}

export const METADATA_KEY = "__metadata__";

export class SafetensorsError extends Error {
  constructor(what: string) {
    super(
      `safetensors: ${what}; the file is damaged or was not written for Phasewise: write or fetch it again`,
    );
    this.name = "SafetensorsError";
  }
}

export function parseHeader(json: string, dataBytes: number): Header {
  const header = parseObject(json);
  const metadata = new Map<string, string>();
  const entries: TensorEntry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === METADATA_KEY) {
      for (const [key, text] of Object.entries(record(value, METADATA_KEY))) {
        if (typeof text !== "string") {
          throw new SafetensorsError(`expected text for metadata "${key}", got ${JSON.stringify(text)}`);
        }
        metadata.set(key, text);
      }
    } else entries.push(tensorEntry(name, record(value, name)));
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let expected = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== expected) {
      throw new SafetensorsError(`expected "${name}" to begin at byte ${expected}, got ${begin}`);
    }
    expected = end;
  }
  if (expected !== dataBytes)
    throw new SafetensorsError(`expected ${expected} bytes of data, got ${dataBytes}`);
  return { entries, metadata };
}

function parseObject(json: string): Record<string, unknown> {
  if (!json.startsWith("{")) throw new SafetensorsError(`expected a header that starts with "{"`);
  let header: unknown;
  try {
    header = JSON.parse(json);
  } catch (error) {
    throw new SafetensorsError(
      `expected a JSON header, got ${error instanceof Error ? error.message : error}`,
    );
  }
  refuseRepeatedKeys(json);
  return record(header, "the header");
}

function record(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SafetensorsError(`expected an object for ${name}, got ${JSON.stringify(value)}`);
  }
  return value as Record<string, unknown>;
}

/** JSON.parse keeps the last of two equal keys without a word. `json` is known to be well-formed. */
function refuseRepeatedKeys(json: string): void {
  const open: Set<string>[] = [];
  for (const [, text, colon, brace] of json.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|([{}])/g)) {
    if (brace === "{") open.push(new Set());
    else if (brace === "}") open.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(text) as string;
      const keys = open.at(-1);
      if (key === "__proto__" || keys?.has(key))
        throw new SafetensorsError(`refused the repeated or reserved name "${key}"`);
      keys?.add(key);
    }
  }
}

function tensorEntry(name: string, entry: Record<string, unknown>): TensorEntry {
  const { dtype, shape, data_offsets: offsets, ...others } = entry;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new SafetensorsError(`"${name}" has an unknown field "${unknown}"`);
  if (!isDtype(dtype)) {
    const known = Object.keys(DTYPE_BYTES).join(", ");
    throw new SafetensorsError(`expected a dtype of ${known} for "${name}", got ${JSON.stringify(dtype)}`);
  }
  if (!isSizes(shape))
    throw new SafetensorsError(
      `expected a shape of whole numbers for "${name}", got ${JSON.stringify(shape)}`,
    );
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw new SafetensorsError(
      `expected two ascending data_offsets for "${name}", got ${JSON.stringify(offsets)}`,
    );
  }
  const [begin, end] = offsets;
  const bytes = shape.reduce((product, size) => product * size, DTYPE_BYTES[dtype]);
  if (bytes !== end - begin) {
    throw new SafetensorsError(
      `expected ${bytes} bytes for "${name}" of shape [${shape}], got ${end - begin}`,
    );
  }
  return { name, dtype, shape, begin, end };
}

function isDtype(value: unknown): value is Dtype {
  return typeof value === "string" && Object.hasOwn(DTYPE_BYTES, value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
