import type { NamedArrays, TypedArray } from "../recipe.ts";

/** A one-dimensional array of a model by name, which an artifact may lack or have of another kind. @throws RangeError */
export function vectorOf<T extends TypedArray>(
  arrays: NamedArrays,
  name: string,
  kind: { new (length: number): T; readonly name: string },
): T {
  const array = arrays[name];
  if (!(array?.data instanceof kind) || array.shape.length !== 1) {
    const got = array === undefined ? "none" : `${array.data.constructor.name} of shape [${array.shape}]`;
    throw new RangeError(`array "${name}": expected a ${kind.name} vector, got ${got}; retrain the model`);
  }
  return array.data;
}

/** A float32 matrix of a model by name, row-major. @throws RangeError */
export function matrixOf(
  arrays: NamedArrays,
  name: string,
): { rows: number; columns: number; values: Float32Array } {
  const array = arrays[name];
  const [rows, columns] = array?.shape ?? [];
  if (
    !(array?.data instanceof Float32Array) ||
    array.shape.length !== 2 ||
    array.data.length !== rows * columns
  ) {
    const got = array === undefined ? "none" : `${array.data.constructor.name} of shape [${array.shape}]`;
    throw new RangeError(`array "${name}": expected a Float32Array matrix, got ${got}; retrain the model`);
  }
  return { rows, columns, values: array.data };
}
