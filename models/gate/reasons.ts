/** A guardrail that failed has harmed; what a challenger did wrong, or what the service could not vouch for. */
export const CHALLENGER_GUARDRAILS = [
  "NON_FINITE_SCORE",
  "EMPTY_LIST",
  "SHORT_LIST",
  "LONG_LIST",
  "DUPLICATE_ITEM",
  "SEEN_ITEM",
  "UNKNOWN_ITEM",
  "HIDDEN_ITEM",
  "TWO_ANSWERS",
  "FAILURE_RATE",
  "LATENCY",
  "COVERAGE",
  "NOVELTY",
  "DIVERSITY",
  "CONCENTRATION",
  "COLD_USERS",
  "LIGHT_USERS",
  "HEAVY_USERS",
  "MEMORY",
  "CPU_TIME",
  "TRAINING_TIME",
  "TRAINED_PAST_CUT",
] as const;

/** The service's own honesty: when one fails nobody is to blame, and nothing may be concluded. */
export const SERVICE_GUARDRAILS = ["SAMPLING_INTEGRITY", "SHED", "SHAM_LANE"] as const;

export type GuardrailCode =
  | (typeof CHALLENGER_GUARDRAILS)[number]
  | (typeof SERVICE_GUARDRAILS)[number]
  | "LIST_CHECKS";

/** Outcomes of the tests themselves, and of evidence that cannot be used. */
export type TestCode =
  | "LIFT_PROVEN"
  | "NOT_WORSE_PROVEN"
  | "LIFT_UNPROVEN"
  | "TOO_FEW_USERS"
  | "NOT_ENOUGH_LIFT"
  | "PROVEN_LOSS"
  | "NOTHING_CHANGED"
  | "AGREEMENT_MISSING"
  | "EXPOSURE_BIAS"
  | "LAST_UPGRADE_UNPROVEN"
  | "LAST_UPGRADE_MISSING"
  | "PLAN_MISSING"
  | "FEEDBACK_MISSING"
  | "EVIDENCE_NOT_FINITE"
  | "USER_COUNTED_TWICE"
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
