import Type from "typebox";
import type { NamedArray, NamedArrays, Params, Recipe } from "../recipe.ts";

/** What is kept of a large matrix of item vectors: its float32 values, or int8 with a scale a row. */
export type Compression = "none" | "int8";

export const compressionSchema = Type.Enum(["none", "int8"], {
  description: "How item vectors are stored: exact, or a quarter of the bytes and slightly rounded",
});

const SCALES = "Scales";
const LARGEST = 127;

/**
 * Rounds matrices (rows × d), float32, to q = round(v / s) with s = max |v| of the row / 127: int8 under the same name,
 * the scales (rows) under `<name>Scales`. No value moves by more than s/2.
 */
export function compressed(arrays: NamedArrays, names: readonly string[]): NamedArrays {
  const packed: Record<string, NamedArray> = { ...arrays };
  for (const name of names) {
    const { shape, data } = arrays[name];
    const [rows, d] = shape;
    const scales = new Float32Array(rows);
    const rounded = new Int8Array(data.length);
    for (let row = 0; row < rows; row++) {
      let largest = 0;
      for (let at = row * d; at < (row + 1) * d; at++) largest = Math.max(largest, Math.abs(data[at]));
      // A row of zeros has any scale.
      scales[row] = largest / LARGEST || 1;
      for (let at = row * d; at < (row + 1) * d; at++) rounded[at] = Math.round(data[at] / scales[row]);
    }
    packed[name] = { shape, data: rounded };
    packed[name + SCALES] = { shape: [rows], data: scales };
  }
  return packed;
}

/** The arrays of a recipe that its parameters ask to have compressed. */
export function toCompress({ compressible = {} }: Recipe, params: Params): string[] {
  return Object.keys(compressible).filter((name) => params[compressible[name]] === "int8");
}

/**
 * Every compressed matrix as float32 again, v ≈ q·s; arrays that are not compressed are passed through.
 * @throws RangeError
 */
export function decompressed(arrays: NamedArrays): NamedArrays {
  const names = Object.keys(arrays).filter((name) => arrays[name].data instanceof Int8Array);
  if (names.length === 0) return arrays;
  const full: Record<string, NamedArray> = { ...arrays };
  for (const name of names) {
    const { shape, data } = arrays[name];
    const scales = arrays[name + SCALES]?.data;
    const [rows, d] = shape;
    if (shape.length !== 2 || !(scales instanceof Float32Array) || scales.length !== rows) {
      throw new RangeError(
        `array "${name}${SCALES}": expected one float32 scale for each of the ${rows} rows of "${name}", got ${scales?.length ?? "none"}; retrain the model`,
      );
    }
    full[name] = { shape, data: Float32Array.from(data, (value, at) => value * scales[Math.floor(at / d)]) };
    delete full[name + SCALES];
  }
  return full;
}
