import { rowMasses, type SparseRows } from "../data/sparse-rows.ts";

/**
 * The iALS objective (Rendle, Krichene, Zhang & Koren 2022, "Revisiting the Performance of iALS on Item
 * Recommendation Benchmarks", arXiv 2110.14037, eq. 1–2), interaction weights c, user factors W, item factors H:
 *
 *   L = Σ_observed c·(1 − wᵀh)² + α₀·Σ_all (wᵀh)² + Σ_u λ_u·|w_u|² + Σ_i λ_i·|h_i|²
 *   λ_row = λ·(Σ c of the row + α₀·(rows of the other side))^ν
 *
 * Fixing H, each w_u solves (α₀·HᵀH + Σ c·h·hᵀ + λ_u·I) w_u = b_u = Σ c·h, and then its share of the first two
 * sums and of its own ridge is Σ c − b_uᵀw_u: the loss costs no pass over the data.
 */
export interface Objective {
  /** λ */
  readonly reg: number;
  /** α₀ */
  readonly unobservedWeight: number;
  /** ν */
  readonly regExponent: number;
}

/** λ of a row whose interactions weigh `mass` in all. */
export function ridgeOf(mass: number, others: number, objective: Objective): number {
  return objective.reg * (mass + objective.unobservedWeight * others) ** objective.regExponent;
}

/** λ of every row. Shape (rows). */
export function ridgesOf(side: SparseRows, objective: Objective): Float64Array {
  return rowMasses(side).map((mass) => ridgeOf(mass, side.others, objective));
}
