import { choleskySolve } from "./cholesky";
import { rankUpdate } from "./rank-update";
import { addScaled, addScaledFour, dot, dotFour } from "./vectors";

/** Rows gathered at a time: 128 rows of 64 factors are 32 KiB, the size of a first-level cache. */
const PANEL: usize = 128;

/** Bytes of scratch a thread needs for rows of `d` (padded) factors. */
export function alsScratchBytes(d: usize): usize {
  return ((d * d + 3 * d) << 2) + PANEL * (d << 2);
}

/**
 * Half a sweep of implicit ALS by exact Cholesky. For each row r in from … to−1, over its columns c with weight w:
 *   (G + Σ w·f·fᵀ + ridge_r·I)·x = Σ w·f          f = fixed[c]
 *
 * starts (rows + 1), columns (nnz), weights (nnz, or 0 when every weight is 1), fixed (others × d),
 * gram (d × d, upper triangle, already scaled by α₀), ridges (rows), solved (rows × d),
 * explained (rows) receives bᵀx, the part of the objective the row explains.
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
): void {
  const row = d << 2;
  const a = scratch;
  const inverses = a + d * row;
  const panel = inverses + row;
  for (let r = from; r < to; r++) {
    const b = solved + r * row;
    memory.fill(b, 0, row);
    memory.copy(a, gram, d * row);
    const ridge = load<f32>(ridges + (r << 2));
    for (let q = a; q < a + d * row; q += row + 4) store<f32>(q, load<f32>(q) + ridge);

    const end = load<u32>(starts + (r << 2), 4);
    for (let slot = load<u32>(starts + (r << 2)); slot < end; slot += <u32>PANEL) {
      const taken = min<u32>(<u32>PANEL, end - slot);
      gather(columns + (<usize>slot << 2), weights ? weights + (<usize>slot << 2) : 0, taken, fixed, row, panel, b);
      rankUpdate(panel, taken, row, a);
    }
    store<f32>(explained + (r << 2), choleskySolve(a, b, row, inverses));
  }
}

/** panel[p] = √w·fixed[column p], b += Σ w·fixed[column p]: then panelᵀ·panel = Σ w·f·fᵀ. */
// @ts-ignore: decorator
@inline
function gather(columns: usize, weights: usize, n: u32, fixed: usize, row: usize, panel: usize, b: usize): void {
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

/**
 * The same half sweep, not solved but improved: `steps` steps of conjugate gradients from the row's present
 * value (Takács, Pilászy & Tikk, RecSys 2011). Needs no d × d matrix a row: O(d) instead of O(d²) an interaction.
 */
export function alsConjugateGradient(
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
  steps: i32,
): void {
  const row = d << 2;
  const residual = scratch;
  const direction = residual + row;
  const image = direction + row;
  for (let r = from; r < to; r++) {
    const x = solved + r * row;
    const ridge = load<f32>(ridges + (r << 2));
    const first: usize = load<u32>(starts + (r << 2));
    const end: usize = load<u32>(starts + (r << 2), 4);

    // image = A·x; residual = b − A·x; gain starts as bᵀx + residualᵀx.
    memory.fill(residual, 0, row);
    let gain: f32 = 0;
    let q = first;
    for (; q + 4 <= end; q += 4) {
      const c = columns + (q << 2);
      const y0 = fixed + <usize>load<u32>(c) * row;
      const y1 = fixed + <usize>load<u32>(c, 4) * row;
      const y2 = fixed + <usize>load<u32>(c, 8) * row;
      const y3 = fixed + <usize>load<u32>(c, 12) * row;
      const w = weightsAt(weights, q);
      const scores = f32x4.mul(w, dotFour(y0, y1, y2, y3, x, row));
      gain += sumOfLanes(scores);
      addScaledFour(f32x4.sub(w, scores), y0, y1, y2, y3, residual, row);
    }
    for (; q < end; q++) {
      const y = fixed + <usize>load<u32>(columns + (q << 2)) * row;
      const w = weightAt(weights, q);
      const score = w * dot(y, x, row);
      gain += score;
      addScaled(w - score, y, residual, row);
    }
    addGram(gram, ridge, x, residual, row, -1);
    gain += dot(residual, x, row);

    memory.copy(direction, residual, row);
    let squared = dot(residual, residual, row);
    for (let step = 0; step < steps && squared > 1e-20; step++) {
      memory.fill(image, 0, row);
      addGram(gram, ridge, direction, image, row, 1);
      q = first;
      for (; q + 4 <= end; q += 4) {
        const c = columns + (q << 2);
        const y0 = fixed + <usize>load<u32>(c) * row;
        const y1 = fixed + <usize>load<u32>(c, 4) * row;
        const y2 = fixed + <usize>load<u32>(c, 8) * row;
        const y3 = fixed + <usize>load<u32>(c, 12) * row;
        const scores = f32x4.mul(weightsAt(weights, q), dotFour(y0, y1, y2, y3, direction, row));
        addScaledFour(scores, y0, y1, y2, y3, image, row);
      }
      for (; q < end; q++) {
        const y = fixed + <usize>load<u32>(columns + (q << 2)) * row;
        addScaled(weightAt(weights, q) * dot(y, direction, row), y, image, row);
      }
      const length: f32 = squared / dot(direction, image, row);
      gain += length * squared;
      addScaled(length, direction, x, row);
      addScaled(-length, image, residual, row);
      const next = dot(residual, residual, row);
      const turn = f32x4.splat(next / squared);
      for (let k: usize = 0; k < row; k += 16) {
        const turned = f32x4.mul(turn, v128.load(direction + k));
        v128.store(direction + k, f32x4.add(turned, v128.load(residual + k)));
      }
      squared = next;
    }
    store<f32>(explained + (r << 2), gain);
  }
}

// @ts-ignore: decorator
@inline
function sumOfLanes(v: v128): f32 {
  return (
    f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3))
  );
}

/** target += sign·(G + ridge·I)·x, G full and symmetric. */
// @ts-ignore: decorator
@inline
function addGram(gram: usize, ridge: f32, x: usize, target: usize, row: usize, sign: f32): void {
  const s = f32x4.splat(sign);
  for (let k: usize = 0; k < row; k += 16) {
    const g = gram + (k >> 2) * row;
    addScaledFour(f32x4.mul(s, v128.load(x + k)), g, g + row, g + 2 * row, g + 3 * row, target, row);
  }
  addScaled(sign * ridge, x, target, row);
}

/**
 * Partial Gram matrix of rows from … to−1 of `factors`, written (upper triangle) to the slice of `partials` that
 * belongs to this chunk. The caller adds the slices up in their order, so the sum does not depend on threads.
 */
export function gramChunk(
  from: usize,
  to: usize,
  scratch: usize,
  factors: usize,
  partials: usize,
  chunk: usize,
  d: usize,
): void {
  const row = d << 2;
  const c = partials + (from / chunk) * d * row;
  memory.fill(c, 0, d * row);
  for (let r = from; r < to; r += PANEL) rankUpdate(factors + r * row, min<usize>(PANEL, to - r), row, c);
}
