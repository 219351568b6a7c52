import type { Phase } from "../recipe.ts";
import type { Policy } from "./policy.ts";

/**
 * UPGRADE: another recipe, which must win by its margin. REFRESH: the live recipe on new data, which must not lose.
 * DOWN_RUNG: a cheaper recipe of a lower rung, which must not lose either; only where the policy asks for it.
 */
export type ChallengeKind = "UPGRADE" | "REFRESH" | "DOWN_RUNG";

export interface MarginInputs {
  readonly kind: ChallengeKind;
  /** Mean nDCG@10 of the baseline, frozen when the test starts. */
  readonly baselineMean: number;
  readonly phases: { readonly challenger: Phase; readonly baseline: Phase };
  /** CPU milliseconds a request, measured in one process. */
  readonly cpuMsPerRequest: { readonly challenger: number; readonly baseline: number };
}

/**
 * The lift δ that must be exceeded, in nDCG@10.
 * UPGRADE: δ = m_b · min(cap, perPhase·Δphase + perCostDoubling·max(0, log2(C_c / C_b))), Δphase ≥ 0: a step
 * down the ladder costs nothing and earns no discount. REFRESH, DOWN_RUNG: δ = −refresh·m_b (non-inferiority).
 */
export function marginOf(inputs: MarginInputs, margins: Policy["margins"]): number {
  const { kind, baselineMean, phases, cpuMsPerRequest } = inputs;
  if (!(baselineMean >= 0 && baselineMean <= 1)) {
    throw new RangeError(`margin: expected a baseline mean in 0…1, got ${baselineMean}`);
  }
  if (kind !== "UPGRADE") return -margins.refresh * baselineMean;
  const costRatio = cpuMsPerRequest.challenger / cpuMsPerRequest.baseline;
  if (!(Number.isFinite(costRatio) && costRatio > 0)) {
    throw new RangeError(
      `margin: expected positive CPU times, got ${cpuMsPerRequest.challenger} and ${cpuMsPerRequest.baseline} ms`,
    );
  }
  const climbed = Math.max(0, phases.challenger - phases.baseline);
  const price = margins.perPhase * climbed + margins.perCostDoubling * Math.max(0, Math.log2(costRatio));
  return baselineMean * Math.min(margins.upgradeCap, price);
}
