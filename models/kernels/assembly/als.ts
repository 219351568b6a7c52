import { factor, solve } from "./cholesky";
import { residualOf } from "./normal-equations";
import { beginPacking, LARGEST_PACKED, PACKED_PAIRS, packedRankUpdate, packingBytes, packRows } from "./packed";
import { rankUpdate } from "./rank-update";
import { addScaled, dot } from "./vectors";

/** Rows gathered at a time: 128 rows of 64 factors are 32 KiB, the size of a first-level cache. */
const PANEL: usize = 128;
/** A row with fewer interactions is not worth packing: refining its solution costs more than packing saves. */
const FEWEST_PACKED: usize = 16;
/** |residual|² / |b|² of a solution as good as float32 gets. */
const SOLVED: f32 = 1e-13;
/** |residual|² after a step / before, beyond which packed sums are too coarse for the row. */
const SLOWEST: f32 = 0.01;
const MOST_REFINEMENTS = 4;

/** Bytes of scratch a thread needs for rows of `d` (padded) factors. */
export function alsScratchBytes(d: usize): usize {
  const row = d << 2;
  return packingAt(row) + packingBytes(row) + PANEL * row;
}

/**
 * Half a sweep of implicit ALS by exact Cholesky. For each row r in from … to−1, over its columns c with weight w:
 *   (G + Σ w·f·fᵀ + ridge_r·I)·x = Σ w·f          f = fixed[c]
 *
 * starts (rows + 1), columns (nnz), weights (nnz, or 0 when every weight is 1), fixed (others × d),
 * gram (d × d, full, already scaled by α₀), ridges (rows), solved (rows × d),
 * explained (rows) receives bᵀx, the part of the objective the row explains.
 *
 * largest: max |√w·f| over all of `fixed` and `weights`, or 0 to stay in float32. With it, Σ w·f·fᵀ of a longer row is
 * summed in 16-bit integers, at half the cost; the factorization of that approximate matrix then solves for the
 * residual of the true one, until what is left is what float32 leaves (iterative refinement in mixed precision:
 * Carson & Higham, SIAM J. Sci. Comput. 40(2), 2018). A row that does not get there is solved in float32.
 */
export function alsCholesky(
  from: usize,
  to: usize,
  scratch: usize,
  starts: usize,
  columns: usize,
  weights: usize,
  fixed: usize,
  gram: usize,
  ridges: usize,
  solved: usize,
  explained: usize,
  d: usize,
  largest: f32,
): void {
  const row = d << 2;
  const scale: f32 = largest > 0 ? LARGEST_PACKED / largest : 0;
  if (scale > 0) beginPacking(scratch + packingAt(row), scale);
  for (let r = from; r < to; r++) {
    const x = solved + r * row;
    const ridge = load<f32>(ridges + (r << 2));
    const first: usize = load<u32>(starts + (r << 2));
    const n = <usize>load<u32>(starts + (r << 2), 4) - first;
    const c = columns + (first << 2);
    const w = weights ? weights + (first << 2) : 0;
    const packed = scale > 0 && n >= FEWEST_PACKED;
    if (!packed || !solvePacked(c, w, n, fixed, gram, ridge, scratch, x, d, scale)) {
      solvePlain(c, w, n, fixed, gram, ridge, scratch, x, d);
    }
    store<f32>(explained + (r << 2), dot(scratch + d * row, x, row));
  }
}

/*
 * Scratch of a row: A (d × d), b (d), 1/U_kk (d), residual (d), four scales; then what packing needs, then the panel.
 */
// @ts-ignore: decorator
@inline
function packingAt(row: usize): usize {
  return (row >> 2) * row + 3 * row + 16;
}

/** x = A⁻¹b in float32; leaves b in scratch. */
function solvePlain(
  columns: usize,
  weights: usize,
  n: usize,
  fixed: usize,
  gram: usize,
  ridge: f32,
  a: usize,
  x: usize,
  d: usize,
): void {
  const row = d << 2;
  const b = a + d * row;
  const inverses = b + row;
  const panel = a + packingAt(row) + packingBytes(row);
  begin(gram, ridge, d, a, b);
  for (let p: usize = 0; p < n; p += PANEL) {
    const taken = min<usize>(PANEL, n - p);
    gather(columns + (p << 2), weights ? weights + (p << 2) : 0, taken, fixed, row, panel, b);
    rankUpdate(panel, taken, row, a);
  }
  factor(a, row, inverses);
  memory.copy(x, b, row);
  solve(a, x, row, inverses);
}

/** x = A⁻¹b by refinement from packed sums; leaves b in scratch. False when x is not what float32 would reach. */
function solvePacked(
  columns: usize,
  weights: usize,
  n: usize,
  fixed: usize,
  gram: usize,
  ridge: f32,
  a: usize,
  x: usize,
  d: usize,
  scale: f32,
): bool {
  const row = d << 2;
  const b = a + d * row;
  const inverses = b + row;
  const residual = inverses + row;
  const scales = residual + row;
  const packing = a + packingAt(row);
  const panel = packing + packingBytes(row);
  begin(gram, ridge, d, a, b);
  for (let p: usize = 0; p < n; p += 2 * PACKED_PAIRS) {
    const taken = min<usize>(2 * PACKED_PAIRS, n - p);
    packRows(columns + (p << 2), weights ? weights + (p << 2) : 0, taken, fixed, row, panel, b, packing);
    packedRankUpdate(panel, (taken + 1) >> 1, row, a, 1 / (scale * scale));
  }
  factor(a, row, inverses);
  memory.copy(x, b, row);
  solve(a, x, row, inverses);
  const whole = dot(b, b, row);
  let before = whole;
  for (let step = 0; step < MOST_REFINEMENTS; step++) {
    residualOf(x, 0, n, columns, weights, fixed, gram, ridge, row, residual, scales);
    const left = dot(residual, residual, row);
    solve(a, residual, row, inverses);
    addScaled(1, residual, x, row);
    // Every step takes off the same share: this one leaves left · left / before.
    if (left * (left / before) <= SOLVED * whole) return true;
    if (!(left <= SLOWEST * before)) return false;
    before = left;
  }
  return false;
}

/** A = G + ridge·I, b = 0. */
// @ts-ignore: decorator
@inline
function begin(gram: usize, ridge: f32, d: usize, a: usize, b: usize): void {
  const row = d << 2;
  memory.copy(a, gram, d * row);
  for (let q = a; q < a + d * row; q += row + 4) store<f32>(q, load<f32>(q) + ridge);
  memory.fill(b, 0, row);
}

/** panel[p] = √w·fixed[column p], b += Σ w·fixed[column p]: then panelᵀ·panel = Σ w·f·fᵀ. */
// @ts-ignore: decorator
@inline
function gather(columns: usize, weights: usize, n: usize, fixed: usize, row: usize, panel: usize, b: usize): void {
  for (let p: usize = 0; p < n; p++) {
    const f = fixed + <usize>load<u32>(columns + (p << 2)) * row;
    const z = panel + p * row;
    if (weights == 0) {
      for (let k: usize = 0; k < row; k += 16) {
        const v = v128.load(f + k);
        v128.store(z + k, v);
        v128.store(b + k, f32x4.add(v128.load(b + k), v));
      }
    } else {
      const root = f32x4.splat(sqrt<f32>(load<f32>(weights + (p << 2))));
      for (let k: usize = 0; k < row; k += 16) {
        const v = f32x4.mul(root, v128.load(f + k));
        v128.store(z + k, v);
        v128.store(b + k, f32x4.add(v128.load(b + k), f32x4.mul(root, v)));
      }
    }
  }
}
