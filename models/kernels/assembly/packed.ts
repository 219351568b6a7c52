/**
 * Outer products in 16-bit integers. Two rows of float32 lie packed in one: lane k holds round(scale·first[k]) in its
 * low half and round(scale·second[k]) in its high half, so that one integer instruction multiplies and adds both.
 * WebAssembly has no fused multiply-add and vectors of 128 bits; this gives each of them twice the products.
 *
 * Sums stay exact in 32 bits while |value| ≤ LARGEST_PACKED and a panel holds PACKED_PAIRS pairs at most:
 * 192 · 3344² < 2³¹.
 */
export const LARGEST_PACKED: f32 = 3344;
export const PACKED_PAIRS: usize = 96;

/** Added to a float32 in ±2²², it leaves the nearest integer in the low bits of the sum. */
const ROUNDING: f32 = 12_582_912;

/** Bytes of scratch for packing rows of `row` bytes: constants, a row of zeros and the roots of a panel's weights. */
export function packingBytes(row: usize): usize {
  return CONSTANTS + row + (PACKED_PAIRS << 3) + 16;
}

/*
 * Constants lie in memory: what is computed ahead of a loop, and not loaded, the engine computes again in every turn.
 * float32: one, scale, ROUNDING; then the mask of a low half.
 */
const CONSTANTS: usize = 16;

/** Fills scratch (zeroed) with the constants, for rows that are to be multiplied by `scale`. */
export function beginPacking(scratch: usize, scale: f32): void {
  store<f32>(scratch, 1);
  store<f32>(scratch, scale, 4);
  store<f32>(scratch, ROUNDING, 8);
  store<u32>(scratch, 0xffff, 12);
}

/**
 * panel = √w·fixed[column], packed and scaled, for `n` columns with their weights (0 when every weight is 1); an odd last
 * one is packed with zeros. sum += Σ w·fixed[column].
 */
export function packRows(
  columns: usize,
  weights: usize,
  n: usize,
  fixed: usize,
  row: usize,
  panel: usize,
  sum: usize,
  scratch: usize,
): void {
  const zeros = scratch + CONSTANTS;
  const roots = zeros + row;
  const scale = load<f32>(scratch, 4);
  const rounding = v128.load32_splat(scratch, 8);
  const lowHalf = v128.load32_splat(scratch, 12);
  // Every interaction finds its two factors in memory: unweighted ones find the same.
  const step: usize = weights ? 4 : 0;
  const w = weights ? weights : scratch;
  const r = weights ? roots : scratch + 4;
  if (weights) {
    for (let p: usize = 0; p < n << 2; p += 4) store<f32>(roots + p, scale * sqrt<f32>(load<f32>(weights + p)));
  }
  let z = panel;
  for (let p: usize = 0; p < n; p += 2) {
    const paired = p + 1 < n;
    const f = fixed + <usize>load<u32>(columns + (p << 2)) * row;
    const g = paired ? fixed + <usize>load<u32>(columns + (p << 2), 4) * row : zeros;
    const q = p * step;
    const next = paired ? q + step : q;
    const left = v128.load32_splat(w + q);
    const right = v128.load32_splat(w + next);
    const leftScale = v128.load32_splat(r + q);
    const rightScale = v128.load32_splat(r + next);
    for (let k: usize = 0; k < row; k += 16) {
      const a = v128.load(f + k);
      const b = v128.load(g + k);
      const low = v128.and(f32x4.add(f32x4.mul(leftScale, a), rounding), lowHalf);
      const high = i32x4.shl(f32x4.add(f32x4.mul(rightScale, b), rounding), 16);
      v128.store(z + k, v128.or(low, high));
      const both = f32x4.add(f32x4.mul(left, a), f32x4.mul(right, b));
      v128.store(sum + k, f32x4.add(v128.load(sum + k), both));
    }
    z += row;
  }
}

// @ts-ignore: decorator
@inline
function multiplyAddPacked(a: v128, b: v128, sum: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(a, b));
}

// @ts-ignore: decorator
@inline
function addScaledSum(target: usize, sum: v128, unit: v128): void {
  v128.store(target, f32x4.add(v128.load(target), f32x4.mul(unit, f32x4.convert_i32x4_s(sum))));
}

/**
 * Block (i … i+3, j … j+7) of C += unit·ZᵀZ, Z being `pairs` packed rows. i and j are byte offsets. Two pairs a turn:
 * the engine checks for interruption once a turn, and the way out between the halves keeps it from loading both first.
 */
// @ts-ignore: decorator
@inline
function block4x8(z: usize, pairs: usize, row: usize, i: usize, j: usize, c: usize, unit: v128): void {
  let a0 = i32x4.splat(0);
  let b0 = a0;
  let a1 = a0;
  let b1 = a0;
  let a2 = a0;
  let b2 = a0;
  let a3 = a0;
  let b3 = a0;
  let left = z + i;
  let right = z + j;
  const end = left + pairs * row;
  while (left < end) {
    let u = v128.load(right);
    let v = v128.load(right, 16);
    let s = v128.load32_splat(left);
    a0 = multiplyAddPacked(s, u, a0);
    b0 = multiplyAddPacked(s, v, b0);
    s = v128.load32_splat(left, 4);
    a1 = multiplyAddPacked(s, u, a1);
    b1 = multiplyAddPacked(s, v, b1);
    s = v128.load32_splat(left, 8);
    a2 = multiplyAddPacked(s, u, a2);
    b2 = multiplyAddPacked(s, v, b2);
    s = v128.load32_splat(left, 12);
    a3 = multiplyAddPacked(s, u, a3);
    b3 = multiplyAddPacked(s, v, b3);
    left += row;
    right += row;
    if (left >= end) break;
    u = v128.load(right);
    v = v128.load(right, 16);
    s = v128.load32_splat(left);
    a0 = multiplyAddPacked(s, u, a0);
    b0 = multiplyAddPacked(s, v, b0);
    s = v128.load32_splat(left, 4);
    a1 = multiplyAddPacked(s, u, a1);
    b1 = multiplyAddPacked(s, v, b1);
    s = v128.load32_splat(left, 8);
    a2 = multiplyAddPacked(s, u, a2);
    b2 = multiplyAddPacked(s, v, b2);
    s = v128.load32_splat(left, 12);
    a3 = multiplyAddPacked(s, u, a3);
    b3 = multiplyAddPacked(s, v, b3);
    left += row;
    right += row;
  }
  let t = c + (i >> 2) * row + j;
  addScaledSum(t, a0, unit);
  addScaledSum(t + 16, b0, unit);
  t += row;
  addScaledSum(t, a1, unit);
  addScaledSum(t + 16, b1, unit);
  t += row;
  addScaledSum(t, a2, unit);
  addScaledSum(t + 16, b2, unit);
  t += row;
  addScaledSum(t, a3, unit);
  addScaledSum(t + 16, b3, unit);
}

/** The same for four columns: what is left where the triangle starts or the row ends. */
// @ts-ignore: decorator
@inline
function block4x4(z: usize, pairs: usize, row: usize, i: usize, j: usize, c: usize, unit: v128): void {
  let a0 = i32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let left = z + i;
  let right = z + j;
  for (const end = left + pairs * row; left < end; left += row) {
    const u = v128.load(right);
    a0 = multiplyAddPacked(v128.load32_splat(left), u, a0);
    a1 = multiplyAddPacked(v128.load32_splat(left, 4), u, a1);
    a2 = multiplyAddPacked(v128.load32_splat(left, 8), u, a2);
    a3 = multiplyAddPacked(v128.load32_splat(left, 12), u, a3);
    right += row;
  }
  let t = c + (i >> 2) * row + j;
  addScaledSum(t, a0, unit);
  t += row;
  addScaledSum(t, a1, unit);
  t += row;
  addScaledSum(t, a2, unit);
  t += row;
  addScaledSum(t, a3, unit);
}

/** Upper triangle of C += unit·ZᵀZ; Z is `pairs` ≤ PACKED_PAIRS packed rows of `row` bytes. */
export function packedRankUpdate(z: usize, pairs: usize, row: usize, c: usize, unit: f32): void {
  const u = f32x4.splat(unit);
  for (let i: usize = 0; i < row; i += 16) {
    let j = i;
    if ((row - j) & 16) {
      block4x4(z, pairs, row, i, j, c, u);
      j += 16;
    }
    for (; j < row; j += 32) block4x8(z, pairs, row, i, j, c, u);
  }
}
