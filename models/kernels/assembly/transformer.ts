import { addScaled, addScaledFour, dot, dotFour, sumLanes } from "./vectors";

/**
 * Layer norm of each row: inverses = 1 / √(variance + epsilon), units = (x − mean) · inverses, out = units · gain + bias.
 * Units may lie where out lies, when nobody asks for them. Padding (columns d …) of x, gain, bias and out is 0.
 */
export function normRows(
  x: usize,
  gain: usize,
  bias: usize,
  units: usize,
  inverses: usize,
  out: usize,
  rows: usize,
  row: usize,
  d: f32,
  epsilon: f32,
): void {
  const padding = <f32>(row >> 2) - d;
  for (const end = x + rows * row; x < end; x += row, units += row, inverses += 4, out += row) {
    let sums = f32x4.splat(0);
    for (let k: usize = 0; k < row; k += 16) sums = f32x4.add(sums, v128.load(x + k));
    const mean: f32 = sumLanes(sums) / d;
    const means = f32x4.splat(mean);
    let squares = f32x4.splat(0);
    for (let k: usize = 0; k < row; k += 16) {
      const centred = f32x4.sub(v128.load(x + k), means);
      squares = f32x4.add(squares, f32x4.mul(centred, centred));
    }
    const variance: f32 = (sumLanes(squares) - padding * mean * mean) / d;
    const inverse: f32 = 1 / sqrt<f32>(variance + epsilon);
    store<f32>(inverses, inverse);
    for (let k: usize = 0; k < row; k += 16) {
      const unit = f32x4.mul(f32x4.sub(v128.load(x + k), means), f32x4.splat(inverse));
      v128.store(units + k, unit);
      v128.store(out + k, f32x4.add(f32x4.mul(unit, v128.load(gain + k)), v128.load(bias + k)));
    }
  }
}

const ADD: i32 = 1;
const RELU: i32 = 2;

// @ts-ignore: decorator
@inline
function put(out: usize, sum: v128, bias: usize, mode: i32): void {
  let value = f32x4.add(sum, v128.load(bias));
  if (mode == ADD) value = f32x4.add(value, v128.load(out));
  if (mode == RELU) value = f32x4.max(value, f32x4.splat(0));
  v128.store(out, value);
}

/**
 * out = x·w + bias over `rows` rows, or out += … (mode 1), or out = max(…, 0) (mode 2). x (rows × `row` bytes); w and out
 * have rows of `stride` bytes, of which `columns` bytes, a multiple of 32, take part.
 */
export function multiplyRows(
  x: usize,
  w: usize,
  bias: usize,
  out: usize,
  rows: usize,
  row: usize,
  columns: usize,
  stride: usize,
  mode: i32,
): void {
  let r: usize = 0;
  for (; r + 4 <= rows; r += 4) {
    const x0 = x + r * row;
    for (let j: usize = 0; j < columns; j += 32) {
      let a0 = f32x4.splat(0);
      let b0 = a0;
      let a1 = a0;
      let b1 = a0;
      let a2 = a0;
      let b2 = a0;
      let a3 = a0;
      let b3 = a0;
      let at = w + j;
      for (let k = x0; k < x0 + row; k += 4) {
        const u = v128.load(at);
        const v = v128.load(at, 16);
        let s = v128.load32_splat(k);
        a0 = f32x4.add(a0, f32x4.mul(s, u));
        b0 = f32x4.add(b0, f32x4.mul(s, v));
        s = v128.load32_splat(k + row);
        a1 = f32x4.add(a1, f32x4.mul(s, u));
        b1 = f32x4.add(b1, f32x4.mul(s, v));
        s = v128.load32_splat(k + 2 * row);
        a2 = f32x4.add(a2, f32x4.mul(s, u));
        b2 = f32x4.add(b2, f32x4.mul(s, v));
        s = v128.load32_splat(k + 3 * row);
        a3 = f32x4.add(a3, f32x4.mul(s, u));
        b3 = f32x4.add(b3, f32x4.mul(s, v));
        at += stride;
      }
      let t = out + r * stride + j;
      put(t, a0, bias + j, mode);
      put(t + 16, b0, bias + j + 16, mode);
      t += stride;
      put(t, a1, bias + j, mode);
      put(t + 16, b1, bias + j + 16, mode);
      t += stride;
      put(t, a2, bias + j, mode);
      put(t + 16, b2, bias + j + 16, mode);
      t += stride;
      put(t, a3, bias + j, mode);
      put(t + 16, b3, bias + j + 16, mode);
    }
  }
  for (; r < rows; r++) {
    const x0 = x + r * row;
    for (let j: usize = 0; j < columns; j += 32) {
      let a = f32x4.splat(0);
      let b = a;
      let at = w + j;
      for (let k = x0; k < x0 + row; k += 4) {
        const s = v128.load32_splat(k);
        a = f32x4.add(a, f32x4.mul(s, v128.load(at)));
        b = f32x4.add(b, f32x4.mul(s, v128.load(at, 16)));
        at += stride;
      }
      const t = out + r * stride + j;
      put(t, a, bias + j, mode);
      put(t + 16, b, bias + j + 16, mode);
    }
  }
}

/** shares[q] = softmax_q(scale · query·key_q) for q < seen; keys lie `step` bytes apart. */
export function shareOut(
  query: usize,
  keys: usize,
  shares: usize,
  seen: usize,
  step: usize,
  row: usize,
  scale: f32,
): void {
  let q: usize = 0;
  for (; q + 4 <= seen; q += 4) {
    const key = keys + q * step;
    const dots = dotFour(key, key + step, key + 2 * step, key + 3 * step, query, row);
    v128.store(shares + (q << 2), f32x4.mul(dots, f32x4.splat(scale)));
  }
  for (; q < seen; q++) store<f32>(shares + (q << 2), scale * dot(keys + q * step, query, row));

  let greatest = load<f32>(shares);
  for (q = 1; q < seen; q++) greatest = max<f32>(greatest, load<f32>(shares + (q << 2)));
  let total: f32 = 0;
  for (q = 0; q < seen; q++) {
    const share = Mathf.exp(load<f32>(shares + (q << 2)) - greatest);
    store<f32>(shares + (q << 2), share);
    total += share;
  }
  const inverse: f32 = 1 / total;
  for (q = 0; q < seen; q++) store<f32>(shares + (q << 2), inverse * load<f32>(shares + (q << 2)));
}

/** target += Σ_q shares[q] · row_q for q < seen; the rows lie `step` bytes apart. */
export function gatherRows(
  shares: usize,
  rows: usize,
  target: usize,
  seen: usize,
  step: usize,
  row: usize,
): void {
  let q: usize = 0;
  for (; q + 4 <= seen; q += 4) {
    const first = rows + q * step;
    addScaledFour(shares + (q << 2), first, first + step, first + 2 * step, first + 3 * step, target, row);
  }
  for (; q < seen; q++) addScaled(load<f32>(shares + (q << 2)), rows + q * step, target, row);
}

/**
 * Causal attention, one head: state[p] += Σ_{q ≤ p} softmax_q(scale · query_p·key_q) · value_q for p = from … length−1.
 * `projected` holds query, key and value side by side, `row` bytes each; `shares` (length) is scratch.
 */
export function attendRows(
  projected: usize,
  state: usize,
  shares: usize,
  from: usize,
  length: usize,
  row: usize,
  scale: f32,
): void {
  const step: usize = 3 * row;
  const keys = projected + row;
  for (let p = from; p < length; p++) {
    shareOut(projected + p * step, keys, shares, p + 1, step, row, scale);
    gatherRows(shares, keys + row, state + p * row, p + 1, step, row);
  }
}
