import type { GuardrailCode, ReasonCode } from "../reasons.ts";

/** fail: harm shown; unproven: the data cannot exclude it yet; missing: nothing was measured. */
export type GuardrailOutcome = "pass" | "fail" | "unproven" | "missing";

export interface GuardrailResult {
  readonly code: GuardrailCode;
  readonly outcome: GuardrailOutcome;
  /** What was measured and the limit, by name. */
  readonly numbers: Readonly<Record<string, number>>;
}

export function guardrail(
  code: GuardrailCode,
  outcome: GuardrailOutcome,
  numbers: Readonly<Record<string, number>> = {},
): GuardrailResult {
  return { code, outcome, numbers };
}

export function reasonOf({ code, outcome }: GuardrailResult): ReasonCode | null {
  if (outcome === "pass") return null;
  if (outcome === "fail") return code;
  return outcome === "missing" ? `${code}_MISSING` : `${code}_UNPROVEN`;
}

/** A limit on a measured number without sampling error; what is not finite was not measured. */
export function atMost(code: GuardrailCode, value: number | undefined, limit: number): GuardrailResult {
  if (value === undefined || !Number.isFinite(value)) return guardrail(code, "missing", { limit });
  return guardrail(code, value <= limit ? "pass" : "fail", { value, limit });
}

/** A floor for an uncertain figure: passes above it by the lower bound, fails below it by the upper one. */
export function provenAtLeast(
  code: GuardrailCode,
  estimate: { readonly mean: number; readonly low: number; readonly high: number },
  limit: number,
): GuardrailResult {
  const { mean: value, low, high } = estimate;
  if (![value, low, high].every(Number.isFinite)) return guardrail(code, "missing", { limit });
  const outcome = low >= limit ? "pass" : high < limit ? "fail" : "unproven";
  return guardrail(code, outcome, { value, low, high, limit });
}

/** A ceiling for an uncertain figure. A bound the sample is too small for is null: unproven. */
export function provenAtMost(
  code: GuardrailCode,
  value: number,
  bounds: { readonly lower: number | null; readonly upper: number | null },
  limit: number,
): GuardrailResult {
  if (!Number.isFinite(value)) return guardrail(code, "missing", { limit });
  const low = bounds.lower ?? Number.NEGATIVE_INFINITY;
  const high = bounds.upper ?? Number.POSITIVE_INFINITY;
  const outcome = high <= limit ? "pass" : low > limit ? "fail" : "unproven";
  const known = {
    ...(bounds.lower === null ? {} : { low: bounds.lower }),
    ...(bounds.upper === null ? {} : { high: bounds.upper }),
  };
  return guardrail(code, outcome, { value, ...known, limit });
}
