import { subtractBlockRow } from "./rank-update";
import { multiplyAdd, sumLanesOfFour } from "./vectors";

/*
 * Dense symmetric positive definite systems of a few hundred unknowns, four rows at a time: A = UᵀU with U upper
 * triangular. Only the upper triangle of a matrix is read; below it, inside the 4 × 4 blocks of the diagonal,
 * whatever lies there stays meaningless. `inverses` holds 1/U_kk.
 */

/**
 * A (d × d) is overwritten by U. Left-looking: a block of rows first takes off what all earlier rows of U explain (the
 * same register-blocked product that builds A), then factors its own corner.
 */
export function factor(a: usize, row: usize, inverses: usize): void {
  for (let i: usize = 0; i < row; i += 16) {
    subtractBlockRow(a, i >> 2, row, i, a);
    factorBlockRow(a + (i >> 2) * row, i, row, inverses + i);
  }
}

/** b (d) becomes A⁻¹b. */
export function solve(u: usize, b: usize, row: usize, inverses: usize): void {
  for (let i: usize = 0; i < row; i += 16) forwardBlock(u + (i >> 2) * row, b, i, row, inverses + i);
  for (let i = row; i > 0; ) {
    i -= 16;
    backwardBlock(u + (i >> 2) * row, b, i, row, inverses + i);
  }
}

/** Four rows from r0 on, whose diagonal starts at byte i: the corner in scalars, then all columns at once. */
// @ts-ignore: decorator
@inline
function factorBlockRow(r0: usize, i: usize, row: usize, inverses: usize): void {
  const r1 = r0 + row;
  const r2 = r1 + row;
  const r3 = r2 + row;
  const d0: f32 = 1.0 / sqrt<f32>(load<f32>(r0 + i));
  const u01 = load<f32>(r0 + i, 4) * d0;
  const u02 = load<f32>(r0 + i, 8) * d0;
  const u03 = load<f32>(r0 + i, 12) * d0;
  const d1: f32 = 1.0 / sqrt<f32>(load<f32>(r1 + i, 4) - u01 * u01);
  const u12 = (load<f32>(r1 + i, 8) - u01 * u02) * d1;
  const u13 = (load<f32>(r1 + i, 12) - u01 * u03) * d1;
  const d2: f32 = 1.0 / sqrt<f32>(load<f32>(r2 + i, 8) - u02 * u02 - u12 * u12);
  const u23 = (load<f32>(r2 + i, 12) - u02 * u03 - u12 * u13) * d2;
  const d3: f32 = 1.0 / sqrt<f32>(load<f32>(r3 + i, 12) - u03 * u03 - u13 * u13 - u23 * u23);
  store<f32>(inverses, d0);
  store<f32>(inverses, d1, 4);
  store<f32>(inverses, d2, 8);
  store<f32>(inverses, d3, 12);
  for (let j = i; j < row; j += 16) {
    const v0 = f32x4.mul(f32x4.splat(d0), v128.load(r0 + j));
    v128.store(r0 + j, v0);
    let v1 = f32x4.sub(v128.load(r1 + j), f32x4.mul(f32x4.splat(u01), v0));
    v1 = f32x4.mul(f32x4.splat(d1), v1);
    v128.store(r1 + j, v1);
    let v2 = f32x4.sub(v128.load(r2 + j), f32x4.mul(f32x4.splat(u02), v0));
    v2 = f32x4.sub(v2, f32x4.mul(f32x4.splat(u12), v1));
    v2 = f32x4.mul(f32x4.splat(d2), v2);
    v128.store(r2 + j, v2);
    let v3 = f32x4.sub(v128.load(r3 + j), f32x4.mul(f32x4.splat(u03), v0));
    v3 = f32x4.sub(v3, f32x4.mul(f32x4.splat(u13), v1));
    v3 = f32x4.sub(v3, f32x4.mul(f32x4.splat(u23), v2));
    v128.store(r3 + j, f32x4.mul(f32x4.splat(d3), v3));
  }
}

/** Four steps of Uᵀz = b in place: z of this block, taken off all that follows. */
// @ts-ignore: decorator
@inline
function forwardBlock(r0: usize, b: usize, i: usize, row: usize, inverses: usize): void {
  const r1 = r0 + row;
  const r2 = r1 + row;
  const r3 = r2 + row;
  const z0 = load<f32>(b + i) * load<f32>(inverses);
  const z1 = (load<f32>(b + i, 4) - load<f32>(r0 + i, 4) * z0) * load<f32>(inverses, 4);
  const z2 =
    (load<f32>(b + i, 8) - load<f32>(r0 + i, 8) * z0 - load<f32>(r1 + i, 8) * z1) * load<f32>(inverses, 8);
  const z3 =
    (load<f32>(b + i, 12) -
      load<f32>(r0 + i, 12) * z0 -
      load<f32>(r1 + i, 12) * z1 -
      load<f32>(r2 + i, 12) * z2) *
    load<f32>(inverses, 12);
  store<f32>(b + i, z0);
  store<f32>(b + i, z1, 4);
  store<f32>(b + i, z2, 8);
  store<f32>(b + i, z3, 12);
  for (let j = i + 16; j < row; j += 16) {
    let t = multiplyAdd(f32x4.splat(-z0), v128.load(r0 + j), v128.load(b + j));
    t = multiplyAdd(f32x4.splat(-z1), v128.load(r1 + j), t);
    t = multiplyAdd(f32x4.splat(-z2), v128.load(r2 + j), t);
    v128.store(b + j, multiplyAdd(f32x4.splat(-z3), v128.load(r3 + j), t));
  }
}

/** Four steps of Ux = z in place, what follows the block being solved already. */
// @ts-ignore: decorator
@inline
function backwardBlock(r0: usize, b: usize, i: usize, row: usize, inverses: usize): void {
  const r1 = r0 + row;
  const r2 = r1 + row;
  const r3 = r2 + row;
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (let j = i + 16; j < row; j += 16) {
    const x = v128.load(b + j);
    s0 = multiplyAdd(x, v128.load(r0 + j), s0);
    s1 = multiplyAdd(x, v128.load(r1 + j), s1);
    s2 = multiplyAdd(x, v128.load(r2 + j), s2);
    s3 = multiplyAdd(x, v128.load(r3 + j), s3);
  }
  const left = f32x4.sub(v128.load(b + i), sumLanesOfFour(s0, s1, s2, s3));
  const x3 = f32x4.extract_lane(left, 3) * load<f32>(inverses, 12);
  const x2 = (f32x4.extract_lane(left, 2) - load<f32>(r2 + i, 12) * x3) * load<f32>(inverses, 8);
  const x1 =
    (f32x4.extract_lane(left, 1) - load<f32>(r1 + i, 12) * x3 - load<f32>(r1 + i, 8) * x2) *
    load<f32>(inverses, 4);
  const x0 =
    (f32x4.extract_lane(left, 0) -
      load<f32>(r0 + i, 12) * x3 -
      load<f32>(r0 + i, 8) * x2 -
      load<f32>(r0 + i, 4) * x1) *
    load<f32>(inverses);
  store<f32>(b + i, x0);
  store<f32>(b + i, x1, 4);
  store<f32>(b + i, x2, 8);
  store<f32>(b + i, x3, 12);
}
