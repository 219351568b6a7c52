/** Rows of factors are padded to whole SIMD vectors; padded factors are 0 and stay 0. */
export function paddedTo(multiple: number, length: number): number {
  return Math.ceil(length / multiple) * multiple;
}

/** (rows × width) from (rows × d), the new columns 0. */
export function writePadded(values: ArrayLike<number>, d: number, target: Float32Array, width: number): void {
  for (let from = 0, to = 0; from < values.length; from += d, to += width) {
    for (let k = 0; k < d; k++) target[to + k] = values[from + k];
  }
}

/** (rows × d) from (rows × width). */
export function withoutPadding(values: Float32Array, d: number, width: number): Float32Array {
  const rows = values.length / width;
  const packed = new Float32Array(rows * d);
  for (let row = 0; row < rows; row++) packed.set(values.subarray(row * width, row * width + d), row * d);
  return packed;
}
