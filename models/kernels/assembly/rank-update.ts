import { multiplyAdd } from "./vectors";

/**
 * The inner loop of everything quadratic: block (i … i+3, j … j+7) of C ± ZᵀZ, where Z has n contiguous rows of
 * `row` bytes. Eight accumulators stay in registers over all of Z. i and j are byte offsets of 4-byte columns.
 */
// @ts-ignore: decorator
@inline
function block4x8(z: usize, n: usize, row: usize, i: usize, j: usize, c: usize, minus: bool): void {
  let a0 = f32x4.splat(0);
  let b0 = a0;
  let a1 = a0;
  let b1 = a0;
  let a2 = a0;
  let b2 = a0;
  let a3 = a0;
  let b3 = a0;
  let left = z + i;
  let right = z + j;
  for (const end = left + n * row; left < end; left += row) {
    const u = v128.load(right);
    const v = v128.load(right, 16);
    let s = v128.load32_splat(left);
    a0 = multiplyAdd(s, u, a0);
    b0 = multiplyAdd(s, v, b0);
    s = v128.load32_splat(left, 4);
    a1 = multiplyAdd(s, u, a1);
    b1 = multiplyAdd(s, v, b1);
    s = v128.load32_splat(left, 8);
    a2 = multiplyAdd(s, u, a2);
    b2 = multiplyAdd(s, v, b2);
    s = v128.load32_splat(left, 12);
    a3 = multiplyAdd(s, u, a3);
    b3 = multiplyAdd(s, v, b3);
    right += row;
  }
  let t = c + (i >> 2) * row + j;
  add(t, a0, minus);
  add(t + 16, b0, minus);
  t += row;
  add(t, a1, minus);
  add(t + 16, b1, minus);
  t += row;
  add(t, a2, minus);
  add(t + 16, b2, minus);
  t += row;
  add(t, a3, minus);
  add(t + 16, b3, minus);
}

/** The same for a block four columns wide: what is left where the triangle starts or the row ends. */
// @ts-ignore: decorator
@inline
function block4x4(z: usize, n: usize, row: usize, i: usize, j: usize, c: usize, minus: bool): void {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let left = z + i;
  let right = z + j;
  for (const end = left + n * row; left < end; left += row) {
    const u = v128.load(right);
    a0 = multiplyAdd(v128.load32_splat(left), u, a0);
    a1 = multiplyAdd(v128.load32_splat(left, 4), u, a1);
    a2 = multiplyAdd(v128.load32_splat(left, 8), u, a2);
    a3 = multiplyAdd(v128.load32_splat(left, 12), u, a3);
    right += row;
  }
  let t = c + (i >> 2) * row + j;
  add(t, a0, minus);
  t += row;
  add(t, a1, minus);
  t += row;
  add(t, a2, minus);
  t += row;
  add(t, a3, minus);
}

// @ts-ignore: decorator
@inline
function add(target: usize, v: v128, minus: bool): void {
  const held = v128.load(target);
  v128.store(target, minus ? f32x4.sub(held, v) : f32x4.add(held, v));
}

/** Rows i … i+3 of the upper triangle of C += ZᵀZ. */
export function addBlockRow(z: usize, n: usize, row: usize, i: usize, c: usize): void {
  let j = i;
  if ((row - j) & 16) {
    block4x4(z, n, row, i, j, c, false);
    j += 16;
  }
  for (; j < row; j += 32) block4x8(z, n, row, i, j, c, false);
}

/** Rows i … i+3 of the upper triangle of C −= ZᵀZ. */
export function subtractBlockRow(z: usize, n: usize, row: usize, i: usize, c: usize): void {
  let j = i;
  if ((row - j) & 16) {
    block4x4(z, n, row, i, j, c, true);
    j += 16;
  }
  for (; j < row; j += 32) block4x8(z, n, row, i, j, c, true);
}

/** Upper triangle of C += ZᵀZ, Z (n × row bytes). */
export function rankUpdate(z: usize, n: usize, row: usize, c: usize): void {
  for (let i: usize = 0; i < row; i += 16) addBlockRow(z, n, row, i, c);
}
