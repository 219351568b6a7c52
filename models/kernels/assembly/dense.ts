/**
 * Dense symmetric positive definite systems. A matrix (n × n, n a multiple of BLOCK) lies in panels of eight columns:
 * panel p holds columns 8p … 8p+7, row after row, so both operands of every product below are read straight on.
 *   (row, column) at panel (column >> 3), row · 32 bytes, (column & 7) · 4 bytes
 */
const BLOCK: usize = 64;
const ROW: usize = 32;

/**
 * target −= leftᵀ·right over rows `from` … `to`: four columns of `left` (address of its first) and eight of the panel
 * `right` make four rows of the panel `target`. Sums of BLOCK products are rounded apart from the rest.
 */
// @ts-ignore: decorator
@inline
function subtractTile(left: usize, right: usize, target: usize, from: usize, to: usize): void {
  let a0 = f32x4.splat(0);
  let b0 = a0;
  let a1 = a0;
  let b1 = a0;
  let a2 = a0;
  let b2 = a0;
  let a3 = a0;
  let b3 = a0;
  let l = left + from * ROW;
  let r = right + from * ROW;
  for (const end = left + to * ROW; l < end; l += ROW) {
    const u = v128.load(r);
    const v = v128.load(r, 16);
    let s = v128.load32_splat(l);
    a0 = f32x4.add(a0, f32x4.mul(s, u));
    b0 = f32x4.add(b0, f32x4.mul(s, v));
    s = v128.load32_splat(l, 4);
    a1 = f32x4.add(a1, f32x4.mul(s, u));
    b1 = f32x4.add(b1, f32x4.mul(s, v));
    s = v128.load32_splat(l, 8);
    a2 = f32x4.add(a2, f32x4.mul(s, u));
    b2 = f32x4.add(b2, f32x4.mul(s, v));
    s = v128.load32_splat(l, 12);
    a3 = f32x4.add(a3, f32x4.mul(s, u));
    b3 = f32x4.add(b3, f32x4.mul(s, v));
    r += ROW;
  }
  v128.store(target, f32x4.sub(v128.load(target), a0));
  v128.store(target, f32x4.sub(v128.load(target, 16), b0), 16);
  v128.store(target, f32x4.sub(v128.load(target, 32), a1), 32);
  v128.store(target, f32x4.sub(v128.load(target, 48), b1), 48);
  v128.store(target, f32x4.sub(v128.load(target, 64), a2), 64);
  v128.store(target, f32x4.sub(v128.load(target, 80), b2), 80);
  v128.store(target, f32x4.sub(v128.load(target, 96), a3), 96);
  v128.store(target, f32x4.sub(v128.load(target, 112), b3), 112);
}

/** Address of (0, column) in a matrix whose panels are `panel` bytes apart. */
// @ts-ignore: decorator
@inline
function columnOf(matrix: usize, panel: usize, column: usize): usize {
  return matrix + (column >> 3) * panel + ((column & 7) << 2);
}

/**
 * Rows i … i+63 of panels `first` … `last`−1 of `sides` −= Σ M[k, i…]ᵀ·sides[k] for k in `from` … `to` (whole blocks).
 */
function subtractBlocks(
  matrix: usize,
  sides: usize,
  panel: usize,
  first: usize,
  last: usize,
  i: usize,
  from: usize,
  to: usize,
): void {
  // 64 × 64 of M, 16 KiB, stay in the first-level cache while all panels pass by.
  for (let k = from; k < to; k += BLOCK) {
    for (let p = first; p < last; p++) {
      const side = sides + p * panel;
      for (let row = i; row < i + BLOCK; row += 4) {
        subtractTile(columnOf(matrix, panel, row), side, side + row * ROW, k, k + BLOCK);
      }
    }
  }
}

/** row −= coefficient · other, eight columns. */
// @ts-ignore: decorator
@inline
function subtractRow(row: usize, coefficient: usize, other: usize): void {
  const c = v128.load32_splat(coefficient);
  v128.store(row, f32x4.sub(v128.load(row), f32x4.mul(c, v128.load(other))));
  v128.store(row, f32x4.sub(v128.load(row, 16), f32x4.mul(c, v128.load(other, 16))), 16);
}

// @ts-ignore: decorator
@inline
function scaleRow(row: usize, factor: usize): void {
  const c = v128.load32_splat(factor);
  v128.store(row, f32x4.mul(c, v128.load(row)));
  v128.store(row, f32x4.mul(c, v128.load(row, 16)), 16);
}

/** Solves Uᵀ·y = b for the rows of block i, everything before it taken off already. */
function forwardCorner(matrix: usize, inverses: usize, side: usize, panel: usize, i: usize): void {
  for (let tile = i; tile < i + BLOCK; tile += 4) {
    const left = columnOf(matrix, panel, tile);
    if (tile > i) subtractTile(left, side, side + tile * ROW, i, tile);
    for (let row = tile; row < tile + 4; row++) {
      for (let k = tile; k < row; k++) {
        subtractRow(side + row * ROW, left + k * ROW + ((row - tile) << 2), side + k * ROW);
      }
      scaleRow(side + row * ROW, inverses + (row << 2));
    }
  }
}

/** Solves U·x = y for the rows of block i, everything after it taken off already. */
function backwardCorner(matrix: usize, inverses: usize, side: usize, panel: usize, i: usize): void {
  for (let tile = i + BLOCK - 4; ; tile -= 4) {
    const left = columnOf(matrix, panel, tile);
    if (tile + 4 < i + BLOCK) subtractTile(left, side, side + tile * ROW, tile + 4, i + BLOCK);
    for (let row = tile + 3; ; row--) {
      for (let k = row + 1; k < tile + 4; k++) {
        subtractRow(side + row * ROW, left + k * ROW + ((row - tile) << 2), side + k * ROW);
      }
      scaleRow(side + row * ROW, inverses + (row << 2));
      if (row == tile) break;
    }
    if (tile == i) break;
  }
}

/**
 * One step of A = Uᵀ·U (left-looking: Golub & Van Loan, Matrix Computations, §4.2): panels from … to−1 of the block of
 * columns that starts at `start` become U above that block.
 */
export function factorPanels(
  from: usize,
  to: usize,
  scratch: usize,
  matrix: usize,
  inverses: usize,
  n: usize,
  start: usize,
): void {
  const panel = n * ROW;
  const first = (start >> 3) + from;
  const last = (start >> 3) + to;
  for (let i: usize = 0; i < start; i += BLOCK) {
    subtractBlocks(matrix, matrix, panel, first, last, i, 0, i);
    for (let p = first; p < last; p++) forwardCorner(matrix, inverses, matrix + p * panel, panel, i);
  }
}

/**
 * The rest of that step, once all panels of the block are done: the upper triangle of the block on the diagonal becomes
 * U; `inverses` receives 1/U_kk.
 */
export function factorCorner(matrix: usize, inverses: usize, n: usize, start: usize): void {
  const panel = n * ROW;
  subtractBlocks(matrix, matrix, panel, start >> 3, (start + BLOCK) >> 3, start, 0, start);
  for (let column = start; column < start + BLOCK; column++) {
    const c = columnOf(matrix, panel, column);
    for (let row = start; row <= column; row++) {
      const r = columnOf(matrix, panel, row);
      let sum: f32 = 0;
      for (let k = start; k < row; k++) sum += load<f32>(r + k * ROW) * load<f32>(c + k * ROW);
      const value = load<f32>(c + row * ROW) - sum;
      if (row < column) store<f32>(c + row * ROW, value * load<f32>(inverses + (row << 2)));
      else {
        const root = sqrt<f32>(value);
        store<f32>(c + row * ROW, root);
        store<f32>(inverses + (row << 2), 1 / root);
      }
    }
  }
}

/** Copies the triangle above the diagonal below it (`upward` 0) or the one below above it, panels from … to−1 written. */
export function mirrorPanels(
  from: usize,
  to: usize,
  scratch: usize,
  matrix: usize,
  n: usize,
  upward: i32,
): void {
  const panel = n * ROW;
  for (let column = from << 3; column < to << 3; column++) {
    const target = columnOf(matrix, panel, column);
    const source = matrix + column * ROW;
    const first: usize = upward ? 0 : column + 1;
    const last: usize = upward ? column : n;
    for (let row = first; row < last; row++) {
      store<f32>(target + row * ROW, load<f32>(columnOf(source, panel, row)));
    }
  }
}

/**
 * Solves Uᵀ·U·X = B in place for panels from … to−1 of B (n × columns). Below its diagonal `matrix` mirrors U.
 * With `lower` 1, B is the identity and only the lower triangle of X is found: a third of the work.
 */
export function solvePanels(
  from: usize,
  to: usize,
  scratch: usize,
  matrix: usize,
  inverses: usize,
  sides: usize,
  n: usize,
  lower: i32,
): void {
  const panel = n * ROW;
  const top = lower ? ((from << 3) / BLOCK) * BLOCK : 0;
  for (let i = top; i < n; i += BLOCK) {
    subtractBlocks(matrix, sides, panel, from, to, i, top, i);
    for (let p = from; p < to; p++) forwardCorner(matrix, inverses, sides + p * panel, panel, i);
  }
  for (let i = n - BLOCK; ; i -= BLOCK) {
    subtractBlocks(matrix, sides, panel, from, to, i, i + BLOCK, n);
    for (let p = from; p < to; p++) backwardCorner(matrix, inverses, sides + p * panel, panel, i);
    if (i == top) break;
  }
}

/**
 * target[r] = Σ source[c] over the columns c of sparse row r, for r < rows: one panel of Xᵀ·S or X·S for a binary X.
 * starts (rows + 1), columns (nnz); `source` and `target` are panels.
 */
export function sumPanelRows(starts: usize, columns: usize, rows: usize, source: usize, target: usize): void {
  for (let r: usize = 0; r < rows; r++) {
    let a = f32x4.splat(0);
    let b = a;
    const end = columns + (<usize>load<u32>(starts + (r << 2), 4) << 2);
    for (let slot = columns + (<usize>load<u32>(starts + (r << 2)) << 2); slot < end; slot += 4) {
      const row = source + <usize>load<u32>(slot) * ROW;
      a = f32x4.add(a, v128.load(row));
      b = f32x4.add(b, v128.load(row, 16));
    }
    v128.store(target + r * ROW, a);
    v128.store(target + r * ROW, b, 16);
  }
}
