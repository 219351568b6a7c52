import { addScaled, addScaledFour, dot, dotFour, sumLanes } from "./vectors";

/*
 * The normal equations of one row of implicit ALS, A·x = b over the row's columns c with weights w:
 *   A = G + Σ w·f·fᵀ + ridge·I      b = Σ w·f      f = fixed[c]
 * A is never built here: multiplying by it costs O(d) an interaction. `first` … `end` are the row's slots in `columns`
 * and `weights` (0 when every weight is 1); `scales` is scratch for four float32.
 */

/** residual = b − A·x. Returns bᵀx. */
export function residualOf(
  x: usize,
  first: usize,
  end: usize,
  columns: usize,
  weights: usize,
  fixed: usize,
  gram: usize,
  ridge: f32,
  row: usize,
  residual: usize,
  scales: usize,
): f32 {
  multiplyByGram(gram, ridge, x, row, residual);
  for (let k: usize = 0; k < row; k += 16) v128.store(residual + k, f32x4.neg(v128.load(residual + k)));
  let explained: f32 = 0;
  let q = first;
  for (; q + 4 <= end; q += 4) {
    const c = columns + (q << 2);
    const y0 = fixed + <usize>load<u32>(c) * row;
    const y1 = fixed + <usize>load<u32>(c, 4) * row;
    const y2 = fixed + <usize>load<u32>(c, 8) * row;
    const y3 = fixed + <usize>load<u32>(c, 12) * row;
    const w = weightsAt(weights, q);
    const scores = f32x4.mul(w, dotFour(y0, y1, y2, y3, x, row));
    explained += sumLanes(scores);
    v128.store(scales, f32x4.sub(w, scores));
    addScaledFour(scales, y0, y1, y2, y3, residual, row);
  }
  for (; q < end; q++) {
    const y = fixed + <usize>load<u32>(columns + (q << 2)) * row;
    const w = weightAt(weights, q);
    const score = w * dot(y, x, row);
    explained += score;
    addScaled(w - score, y, residual, row);
  }
  return explained;
}

/** image = A·direction. */
export function imageOf(
  direction: usize,
  first: usize,
  end: usize,
  columns: usize,
  weights: usize,
  fixed: usize,
  gram: usize,
  ridge: f32,
  row: usize,
  image: usize,
  scales: usize,
): void {
  multiplyByGram(gram, ridge, direction, row, image);
  let q = first;
  for (; q + 4 <= end; q += 4) {
    const c = columns + (q << 2);
    const y0 = fixed + <usize>load<u32>(c) * row;
    const y1 = fixed + <usize>load<u32>(c, 4) * row;
    const y2 = fixed + <usize>load<u32>(c, 8) * row;
    const y3 = fixed + <usize>load<u32>(c, 12) * row;
    v128.store(scales, f32x4.mul(weightsAt(weights, q), dotFour(y0, y1, y2, y3, direction, row)));
    addScaledFour(scales, y0, y1, y2, y3, image, row);
  }
  for (; q < end; q++) {
    const y = fixed + <usize>load<u32>(columns + (q << 2)) * row;
    addScaled(weightAt(weights, q) * dot(y, direction, row), y, image, row);
  }
}

/** image = (G + ridge·I)·x, G full and symmetric. */
// @ts-ignore: decorator
@inline
function multiplyByGram(gram: usize, ridge: f32, x: usize, row: usize, image: usize): void {
  memory.fill(image, 0, row);
  for (let k: usize = 0; k < row; k += 16) {
    const g = gram + (k >> 2) * row;
    addScaledFour(x + k, g, g + row, g + 2 * row, g + 3 * row, image, row);
  }
  addScaled(ridge, x, image, row);
}

/** Weight of entry q; a null array means one. */
// @ts-ignore: decorator
@inline
function weightAt(weights: usize, slot: usize): f32 {
  return weights ? load<f32>(weights + (slot << 2)) : 1.0;
}

// @ts-ignore: decorator
@inline
function weightsAt(weights: usize, slot: usize): v128 {
  return weights ? v128.load(weights + (slot << 2)) : f32x4.splat(1);
}
