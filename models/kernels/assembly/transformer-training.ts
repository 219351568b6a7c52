import { gatherRows, shareOut } from "./transformer";
import { addScaled, dot, dotFour, sumLanes } from "./vectors";

/**
 * Causal attention over windows, one head, with dropout on its shares:
 *   out[p] = Σ_{q ≤ p} mask[p, q] · shares[p, q] · value_q.
 * projected (windows·length × 3 rows of `row` bytes: query, key, value), shares and mask (windows × length × length;
 * mask 0: none), out (windows·length × row). Shares are kept for the way back, 0 where a position would see a
 * later one; `scratch` (length).
 */
export function attendWindows(
  projected: usize,
  shares: usize,
  mask: usize,
  out: usize,
  scratch: usize,
  windows: usize,
  length: usize,
  row: usize,
  scale: f32,
): void {
  const step: usize = 3 * row;
  const line = length << 2;
  memory.fill(shares, 0, windows * length * line);
  memory.fill(out, 0, windows * length * row);
  for (let w: usize = 0; w < windows; w++) {
    const keys = projected + w * length * step + row;
    for (let p: usize = 0; p < length; p++) {
      const at = w * length + p;
      const share = shares + at * line;
      shareOut(projected + at * step, keys, share, p + 1, step, row, scale);
      let used = share;
      if (mask) {
        multiplyLines(share, mask + at * line, scratch, p + 1);
        used = scratch;
      }
      gatherRows(used, keys + row, out + at * row, p + 1, step, row);
    }
  }
}

/** out[q] = a[q] · b[q] for q < n. */
// @ts-ignore: decorator
@inline
function multiplyLines(a: usize, b: usize, out: usize, n: usize): void {
  for (let at: usize = 0; at < n << 2; at += 4) store<f32>(out + at, load<f32>(a + at) * load<f32>(b + at));
}

/**
 * The way back through `attendWindows`. With g = dOut[p] and s = shares[p]: dShares_q = mask_q · g·value_q,
 * dAffinity_q = s_q · (dShares_q − Σ_r s_r · dShares_r) · scale; dQuery_p = Σ dAffinity_q · key_q,
 * dKey_q += dAffinity_q · query_p, dValue_q += mask_q · s_q · g. dProjected is shaped as projected; `scratch` (length).
 */
export function attendWindowsBack(
  projected: usize,
  shares: usize,
  mask: usize,
  dOut: usize,
  dProjected: usize,
  scratch: usize,
  windows: usize,
  length: usize,
  row: usize,
  scale: f32,
): void {
  const step: usize = 3 * row;
  const line = length << 2;
  memory.fill(dProjected, 0, windows * length * step);
  for (let w: usize = 0; w < windows; w++) {
    const keys = projected + w * length * step + row;
    const dKeys = dProjected + w * length * step + row;
    for (let p: usize = 0; p < length; p++) {
      const at = w * length + p;
      const g = dOut + at * row;
      const query = projected + at * step;
      const share = shares + at * line;
      const kept = mask ? mask + at * line : 0;
      const seen = p + 1;
      const total = backThroughShares(g, keys + row, share, kept, scratch, seen, step, row);
      for (let q: usize = 0; q < seen; q++) {
        const s = load<f32>(share + (q << 2));
        const dAffinity = s * (load<f32>(scratch + (q << 2)) - total) * scale;
        store<f32>(scratch + (q << 2), dAffinity);
        const dKey = dKeys + q * step;
        addScaled(dAffinity, query, dKey, row);
        const m = kept ? s * load<f32>(kept + (q << 2)) : s;
        if (m != 0) addScaled(m, g, dKey + row, row);
      }
      gatherRows(scratch, keys, dProjected + at * step, seen, step, row);
    }
  }
}

/** dShares[q] = mask[q] · g·value_q for q < seen. Returns Σ shares[q] · dShares[q]. */
// @ts-ignore: decorator
@inline
function backThroughShares(
  g: usize,
  values: usize,
  shares: usize,
  mask: usize,
  dShares: usize,
  seen: usize,
  step: usize,
  row: usize,
): f32 {
  let q: usize = 0;
  for (; q + 4 <= seen; q += 4) {
    const value = values + q * step;
    v128.store(dShares + (q << 2), dotFour(value, value + step, value + 2 * step, value + 3 * step, g, row));
  }
  for (; q < seen; q++) store<f32>(dShares + (q << 2), dot(values + q * step, g, row));
  if (mask) multiplyLines(dShares, mask, dShares, seen);
  let total: f32 = 0;
  for (q = 0; q < seen; q++) total += load<f32>(shares + (q << 2)) * load<f32>(dShares + (q << 2));
  return total;
}

/**
 * The way back through `normRows`: with g = dy·gain, dx = inverse · (g − mean(g) − unit · mean(g·unit));
 * dGain = Σ dy·unit, dBias = Σ dy over rows. dGain and dBias (row) start at 0; padding of dx is undefined.
 */
export function normRowsBack(
  dy: usize,
  gain: usize,
  units: usize,
  inverses: usize,
  dx: usize,
  dGain: usize,
  dBias: usize,
  rows: usize,
  row: usize,
  d: f32,
): void {
  for (const end = dy + rows * row; dy < end; dy += row, units += row, inverses += 4, dx += row) {
    let sums = f32x4.splat(0);
    let alongs = f32x4.splat(0);
    for (let k: usize = 0; k < row; k += 16) {
      const slope = v128.load(dy + k);
      const unit = v128.load(units + k);
      const turned = f32x4.mul(slope, unit);
      const g = v128.load(gain + k);
      v128.store(dBias + k, f32x4.add(v128.load(dBias + k), slope));
      v128.store(dGain + k, f32x4.add(v128.load(dGain + k), turned));
      sums = f32x4.add(sums, f32x4.mul(slope, g));
      alongs = f32x4.add(alongs, f32x4.mul(turned, g));
    }
    const inverse = f32x4.splat(load<f32>(inverses));
    const mean = f32x4.splat(sumLanes(sums) / d);
    const tilt = f32x4.splat(sumLanes(alongs) / d);
    for (let k: usize = 0; k < row; k += 16) {
      const g = f32x4.mul(v128.load(dy + k), v128.load(gain + k));
      const level = f32x4.add(mean, f32x4.mul(v128.load(units + k), tilt));
      v128.store(dx + k, f32x4.mul(inverse, f32x4.sub(g, level)));
    }
  }
}
