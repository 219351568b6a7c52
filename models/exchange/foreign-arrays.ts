import { type Decoder, isStored, storedArray } from "../safetensors/safetensors.ts";
import type { Dtype } from "../safetensors/safetensors-header.ts";

/** Elements of other floating-point types, as float32 holds them. */
const WIDENED: Partial<Record<Dtype, (buffer: ArrayBuffer) => Float32Array>> = {
  F64: (buffer) => Float32Array.from(new Float64Array(buffer)),
  F16: (buffer) => Float32Array.from(new Uint16Array(buffer), halfToNumber),
  // bfloat16 is the upper half of a float32.
  BF16: (buffer) => new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer),
};

/**
 * Reads what other trainers write: floats of any precision become float32 (NumPy writes float64 unless asked, PyTorch
 * often half), and arrays of types that hold no factors, such as 64-bit ids beside them, are left out.
 */
export const foreignArray: Decoder = (entry, bytes) => {
  const widen = WIDENED[entry.dtype];
  if (widen !== undefined) return widen(bytes.buffer);
  return isStored(entry.dtype) ? storedArray(entry, bytes) : null;
};

/** IEEE 754 binary16: 1 bit sign, 5 exponent (bias 15), 10 fraction. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
