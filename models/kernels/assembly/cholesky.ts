import { subtractBlockRow } from "./rank-update";
import { dot, multiplyAdd, sumLanes } from "./vectors";

/**
 * Solves A·x = b in place: A (d × d) symmetric positive definite, upper triangle read, overwritten by U with
 * A = UᵀU; b becomes x. `inverses` (d) receives 1/U_kk. Returns bᵀx.
 *
 * Left-looking by blocks of four rows: a block first takes off what all earlier rows of U explain (the same
 * register-blocked product that builds A), then factors its own 4 × 4 corner.
 */
export function choleskySolve(a: usize, b: usize, row: usize, inverses: usize): f32 {
  for (let i: usize = 0; i < row; i += 16) {
    subtractBlockRow(a, i >> 2, row, i, a);
    factorBlockRow(a + (i >> 2) * row, i, row, inverses);
  }
  forward(a, b, row, inverses);
  const explained = dot(b, b, row);
  backward(a, b, row, inverses);
  return explained;
}

/** `r0` is the first of four rows whose diagonal starts at byte i. */
// @ts-ignore: decorator
@inline
function factorBlockRow(r0: usize, i: usize, row: usize, inverses: usize): void {
  for (let p: usize = 0; p < 4; p++) {
    const r = r0 + p * row;
    const diagonal = i + (p << 2);
    for (let m: usize = 0; m < p; m++) {
      const above = r0 + m * row;
      const c = f32x4.neg(v128.load32_splat(above + diagonal));
      for (let j = i; j < row; j += 16) {
        v128.store(r + j, multiplyAdd(c, v128.load(above + j), v128.load(r + j)));
      }
    }
    const inverse: f32 = 1.0 / sqrt<f32>(load<f32>(r + diagonal));
    store<f32>(inverses + diagonal, inverse);
    const c = f32x4.splat(inverse);
    for (let j = i; j < row; j += 16) v128.store(r + j, f32x4.mul(c, v128.load(r + j)));
  }
}

/** Uᵀz = b in place, column by column. */
// @ts-ignore: decorator
@inline
function forward(u: usize, b: usize, row: usize, inverses: usize): void {
  for (let k: usize = 0; k < row; k += 4) {
    const r = u + (k >> 2) * row;
    const z = load<f32>(b + k) * load<f32>(inverses + k);
    const edge = (k + 16) & ~15;
    for (let j = k + 4; j < edge; j += 4) store<f32>(b + j, load<f32>(b + j) - z * load<f32>(r + j));
    const c = f32x4.splat(-z);
    for (let j = edge; j < row; j += 16) v128.store(b + j, multiplyAdd(c, v128.load(r + j), v128.load(b + j)));
    store<f32>(b + k, z);
  }
}

/** Ux = z in place, row by row from the last. */
// @ts-ignore: decorator
@inline
function backward(u: usize, b: usize, row: usize, inverses: usize): void {
  for (let k: usize = row; k > 0; ) {
    k -= 4;
    const r = u + (k >> 2) * row;
    let x = load<f32>(b + k);
    const edge = (k + 16) & ~15;
    for (let j = k + 4; j < edge; j += 4) x -= load<f32>(b + j) * load<f32>(r + j);
    let sum = f32x4.splat(0);
    for (let j = edge; j < row; j += 16) sum = multiplyAdd(v128.load(b + j), v128.load(r + j), sum);
    store<f32>(b + k, (x - sumLanes(sum)) * load<f32>(inverses + k));
  }
}
