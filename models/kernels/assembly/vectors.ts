/**
 * Building blocks on rows of float32. A `row` is a length in bytes, always a multiple of 32: rows are padded. Hot loops
 * take 32 bytes a turn: it halves what is spent on addresses.
 */

/** a·b + c. Two roundings: the fused form would make results depend on the machine. */
// @ts-ignore: decorator
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  return f32x4.add(f32x4.mul(a, b), c);
}

// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  const pairs = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** Lane l is the sum of the lanes of the l-th argument. */
// @ts-ignore: decorator
@inline
export function sumLanesOfFour(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

// @ts-ignore: decorator
@inline
export function dot(a: usize, b: usize, row: usize): f32 {
  let sum = f32x4.splat(0);
  for (let k: usize = 0; k < row; k += 16) sum = multiplyAdd(v128.load(a + k), v128.load(b + k), sum);
  return sumLanes(sum);
}

/** Dot products of four rows with `x`, one a lane. */
// @ts-ignore: decorator
@inline
export function dotFour(y0: usize, y1: usize, y2: usize, y3: usize, x: usize, row: usize): v128 {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (let k: usize = 0; k < row; k += 32) {
    const v = v128.load(x + k);
    const w = v128.load(x + k, 16);
    s0 = multiplyAdd(w, v128.load(y0 + k, 16), multiplyAdd(v, v128.load(y0 + k), s0));
    s1 = multiplyAdd(w, v128.load(y1 + k, 16), multiplyAdd(v, v128.load(y1 + k), s1));
    s2 = multiplyAdd(w, v128.load(y2 + k, 16), multiplyAdd(v, v128.load(y2 + k), s2));
    s3 = multiplyAdd(w, v128.load(y3 + k, 16), multiplyAdd(v, v128.load(y3 + k), s3));
  }
  return sumLanesOfFour(s0, s1, s2, s3);
}

/** target += scale·x */
// @ts-ignore: decorator
@inline
export function addScaled(scale: f32, x: usize, target: usize, row: usize): void {
  const s = f32x4.splat(scale);
  for (let k: usize = 0; k < row; k += 16) {
    v128.store(target + k, multiplyAdd(s, v128.load(x + k), v128.load(target + k)));
  }
}

/**
 * target += Σ scales[l]·y_l, four scales at address `scales`. From memory, because what is computed ahead of a loop, and
 * not loaded, the engine computes again in every turn of it.
 */
// @ts-ignore: decorator
@inline
export function addScaledFour(
  scales: usize,
  y0: usize,
  y1: usize,
  y2: usize,
  y3: usize,
  target: usize,
  row: usize,
): void {
  const s0 = v128.load32_splat(scales);
  const s1 = v128.load32_splat(scales, 4);
  const s2 = v128.load32_splat(scales, 8);
  const s3 = v128.load32_splat(scales, 12);
  for (let k: usize = 0; k < row; k += 32) {
    let t = multiplyAdd(s0, v128.load(y0 + k), v128.load(target + k));
    let u = multiplyAdd(s0, v128.load(y0 + k, 16), v128.load(target + k, 16));
    t = multiplyAdd(s1, v128.load(y1 + k), t);
    u = multiplyAdd(s1, v128.load(y1 + k, 16), u);
    t = multiplyAdd(s2, v128.load(y2 + k), t);
    u = multiplyAdd(s2, v128.load(y2 + k, 16), u);
    v128.store(target + k, multiplyAdd(s3, v128.load(y3 + k), t));
    v128.store(target + k, multiplyAdd(s3, v128.load(y3 + k, 16), u), 16);
  }
}
