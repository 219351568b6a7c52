import { imageOf, residualOf } from "./normal-equations";
import { addScaled, dot } from "./vectors";

/**
 * Half a sweep of implicit ALS (see als.ts), not solved but improved: `steps` steps of conjugate gradients from the row's
 * present value (Takács, Pilászy & Tikk, RecSys 2011). Needs no d × d matrix a row: O(d) instead of O(d²) an interaction.
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
  const scales = image + row;
  for (let r = from; r < to; r++) {
    const x = solved + r * row;
    const ridge = load<f32>(ridges + (r << 2));
    const first: usize = load<u32>(starts + (r << 2));
    const end: usize = load<u32>(starts + (r << 2), 4);

    // The gain starts as bᵀx + residualᵀx.
    let gain = residualOf(x, first, end, columns, weights, fixed, gram, ridge, row, residual, scales);
    gain += dot(residual, x, row);

    memory.copy(direction, residual, row);
    let squared = dot(residual, residual, row);
    for (let step = 0; step < steps && squared > 1e-20; step++) {
      imageOf(direction, first, end, columns, weights, fixed, gram, ridge, row, image, scales);
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
