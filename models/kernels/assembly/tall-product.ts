import { multiplyAdd } from "./vectors";

/** Rows whose products are summed before they are added to the result: so many of `a` and `b` stay in the caches. */
const CHUNK: usize = 64;

/**
 * c = aᵀ·b, the gradient of a weight: a (rows × m), b (rows × n), c (m × n), m and n multiples of 8. Both operands are
 * read as they lie, where XNNPACK would have one transposed and the other repacked.
 */
export function tallProduct(a: usize, b: usize, c: usize, rows: usize, aRow: usize, bRow: usize): void {
  memory.fill(c, 0, (aRow >> 2) * bRow);
  for (let from: usize = 0; from < rows; from += CHUNK) {
    const length = min<usize>(CHUNK, rows - from);
    for (let i: usize = 0; i < aRow; i += 16) {
      for (let j: usize = 0; j < bRow; j += 32) {
        addTile(a + from * aRow + i, b + from * bRow + j, c + (i >> 2) * bRow + j, length, aRow, bRow);
      }
    }
  }
}

/** Four rows of eight of c += Σ over `length` rows of four values of a times eight of b. */
// @ts-ignore: decorator
@inline
function addTile(a: usize, b: usize, c: usize, length: usize, aRow: usize, bRow: usize): void {
  let a0 = f32x4.splat(0);
  let b0 = a0;
  let a1 = a0;
  let b1 = a0;
  let a2 = a0;
  let b2 = a0;
  let a3 = a0;
  let b3 = a0;
  for (const end = a + length * aRow; a < end; a += aRow, b += bRow) {
    const u = v128.load(b);
    const v = v128.load(b, 16);
    let s = v128.load32_splat(a);
    a0 = multiplyAdd(s, u, a0);
    b0 = multiplyAdd(s, v, b0);
    s = v128.load32_splat(a, 4);
    a1 = multiplyAdd(s, u, a1);
    b1 = multiplyAdd(s, v, b1);
    s = v128.load32_splat(a, 8);
    a2 = multiplyAdd(s, u, a2);
    b2 = multiplyAdd(s, v, b2);
    s = v128.load32_splat(a, 12);
    a3 = multiplyAdd(s, u, a3);
    b3 = multiplyAdd(s, v, b3);
  }
  addTo(c, a0, b0);
  addTo(c + bRow, a1, b1);
  addTo(c + 2 * bRow, a2, b2);
  addTo(c + 3 * bRow, a3, b3);
}

/** Eight values += u, v. */
// @ts-ignore: decorator
@inline
function addTo(target: usize, u: v128, v: v128): void {
  v128.store(target, f32x4.add(v128.load(target), u));
  v128.store(target, f32x4.add(v128.load(target, 16), v), 16);
}
