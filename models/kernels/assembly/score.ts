import { dot, dotFour } from "./vectors";

/** scores = M·q: `matrix` (items × d) float32, items and d padded to multiples of 4. */
export function scoreFloat32(matrix: usize, query: usize, scores: usize, items: usize, d: usize): void {
  const row = d << 2;
  for (let item: usize = 0; item < items; item += 4) {
    const y = matrix + item * row;
    v128.store(scores + (item << 2), dotFour(y, y + row, y + 2 * row, y + 3 * row, query, row));
  }
}

/** scores[n] = row `rows[n]` of M · q for `count` rows, with the bits of scoreFloat32. d padded to a multiple of 4. */
export function scoreRows(matrix: usize, query: usize, rows: usize, count: usize, scores: usize, d: usize): void {
  const row = d << 2;
  for (let n: usize = 0; n < count << 2; n += 4) {
    store<f32>(scores + n, dot(matrix + <usize>load<u32>(rows + n) * row, query, row));
  }
}

/**
 * bounds = queryScale·scale·(rows of int8 · query) + queryNorm·slack: `matrix` (items × d) int8, `scales` and `slacks`
 * (items) float32, `query` (d) int16. items a multiple of 4, d of 8; 127·Σ|query| stays below 2³¹.
 */
export function boundInt8(
  matrix: usize,
  scales: usize,
  slacks: usize,
  query: usize,
  queryScale: f32,
  queryNorm: f32,
  bounds: usize,
  items: usize,
  d: usize,
): void {
  const factor = f32x4.splat(queryScale);
  const norm = f32x4.splat(queryNorm);
  for (let item: usize = 0; item < items; item += 4) {
    const y0 = matrix + item * d;
    const y1 = y0 + d;
    const y2 = y1 + d;
    const y3 = y2 + d;
    let s0 = i32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (let k: usize = 0; k < d; k += 8) {
      const q = v128.load(query + (k << 1));
      s0 = i32x4.add(s0, i32x4.dot_i16x8_s(q, v128.load8x8_s(y0 + k)));
      s1 = i32x4.add(s1, i32x4.dot_i16x8_s(q, v128.load8x8_s(y1 + k)));
      s2 = i32x4.add(s2, i32x4.dot_i16x8_s(q, v128.load8x8_s(y2 + k)));
      s3 = i32x4.add(s3, i32x4.dot_i16x8_s(q, v128.load8x8_s(y3 + k)));
    }
    const s01 = i32x4.add(v128.shuffle<i32>(s0, s1, 0, 4, 1, 5), v128.shuffle<i32>(s0, s1, 2, 6, 3, 7));
    const s23 = i32x4.add(v128.shuffle<i32>(s2, s3, 0, 4, 1, 5), v128.shuffle<i32>(s2, s3, 2, 6, 3, 7));
    const sums = i32x4.add(v128.shuffle<i32>(s01, s23, 0, 1, 4, 5), v128.shuffle<i32>(s01, s23, 2, 3, 6, 7));
    const scale = f32x4.mul(factor, v128.load(scales + (item << 2)));
    const slack = f32x4.mul(norm, v128.load(slacks + (item << 2)));
    v128.store(bounds + (item << 2), f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sums), scale), slack));
  }
}

/**
 * Indices of the k best of `scores`, best first: score descending, then index ascending. `heap` (k) receives
 * them; returns how many there are. Four scores at a time are passed over while none beats the k-th.
 */
export function topK(scores: usize, items: usize, k: usize, heap: usize): usize {
  let held: usize = 0;
  let item: usize = 0;
  for (; item < items && held < k; item++) siftUp(heap, scores, held++, <u32>item);
  while (item < items && k > 0) {
    const bar = load<f32>(scores + (<usize>load<u32>(heap) << 2));
    const bars = f32x4.splat(bar);
    while (item + 4 <= items && !v128.any_true(f32x4.gt(v128.load(scores + (item << 2)), bars))) item += 4;
    // At most the next four can hold something better: an equal score never wins, its index is higher.
    const end = min<usize>(items, item + 4);
    for (; item < end; item++) {
      if (load<f32>(scores + (item << 2)) > load<f32>(scores + (<usize>load<u32>(heap) << 2))) {
        store<u32>(heap, <u32>item);
        siftDown(heap, scores, 0, held);
      }
    }
  }
  for (let size = held; size > 1; ) {
    size--;
    const worst = load<u32>(heap);
    store<u32>(heap, load<u32>(heap + (size << 2)));
    store<u32>(heap + (size << 2), worst);
    siftDown(heap, scores, 0, size);
  }
  return held;
}

// @ts-ignore: decorator
@inline
export function worse(scores: usize, a: u32, b: u32): bool {
  const left = load<f32>(scores + (<usize>a << 2));
  const right = load<f32>(scores + (<usize>b << 2));
  return left < right || (left == right && a > b);
}

/** Heap of indices with the worst on top. */
export function siftUp(heap: usize, scores: usize, node: usize, index: u32): void {
  while (node > 0) {
    const parent = (node - 1) >> 1;
    const above = load<u32>(heap + (parent << 2));
    if (!worse(scores, index, above)) break;
    store<u32>(heap + (node << 2), above);
    node = parent;
  }
  store<u32>(heap + (node << 2), index);
}

export function siftDown(heap: usize, scores: usize, node: usize, size: usize): void {
  const index = load<u32>(heap + (node << 2));
  for (;;) {
    let child: usize = 2 * node + 1;
    if (child >= size) break;
    let below = load<u32>(heap + (child << 2));
    if (child + 1 < size) {
      const sibling = load<u32>(heap + (child << 2), 4);
      if (worse(scores, sibling, below)) {
        below = sibling;
        child++;
      }
    }
    if (!worse(scores, below, index)) break;
    store<u32>(heap + (node << 2), below);
    node = child;
  }
  store<u32>(heap + (node << 2), index);
}
