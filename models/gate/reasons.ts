import type { GuardrailCode, GuardrailResult } from "./guardrails/all.ts";

export type { GuardrailCode } from "./guardrails/all.ts";

/** Outcomes of the tests themselves, and of evidence that cannot be used. */
export type TestCode =
  | "LIFT_PROVEN"
  | "NOT_WORSE_PROVEN"
  | "LIFT_UNPROVEN"
  | "TOO_FEW_USERS"
  | "NOT_ENOUGH_LIFT"
  | "PROVEN_LOSS"
  | "LIFT_BELOW_MARGIN"
  | "NOTHING_CHANGED"
  | "CURRENT_VERSION_UNPROVEN"
  | "AGREEMENT_MISSING"
  | "EXPOSURE_BIAS"
  | "LAST_UPGRADE_UNPROVEN"
  | "LAST_UPGRADE_MISSING"
  | "PLAN_MISSING"
  | "FEEDBACK_MISSING"
  | "EVIDENCE_NOT_FINITE"
  | "USER_COUNTED_TWICE"
  | "EVIDENCE_SUSPECT"
  | "PROVEN_WORSE_THAN_PREVIOUS"
  | "WATCH_PASSED"
  | "WATCHING"
  | "PROVEN_WORSE_THAN_LIVE"
  | "CANARY_STEP_PASSED"
  | "CANARY_WATCHING"
  | "FLEET_ERRORS"
  | "FLEET_SLOW"
  | "FLEET_SOUND"
  | "FLEET_TOO_QUIET"
  | "SCREEN_PASSED"
  | "SCREEN_INCONCLUSIVE"
  | "NOT_JUDGED_OFFLINE"
  | "SCREEN_LOST";

/** A bare guardrail code failed; `_UNPROVEN` needs more data; `_MISSING` has none at all. */
export type ReasonCode = GuardrailCode | `${GuardrailCode}_UNPROVEN` | `${GuardrailCode}_MISSING` | TestCode;

export const VERDICTS = ["pass", "hold", "reject"] as const;
export type Verdict = (typeof VERDICTS)[number];

export function reasonOf({ code, outcome }: GuardrailResult): ReasonCode | null {
  if (outcome === "pass") return null;
  if (outcome === "fail") return code;
  return outcome === "missing" ? `${code}_MISSING` : `${code}_UNPROVEN`;
}
