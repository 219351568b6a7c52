import type { ShadowEvidence } from "../evidence.ts";
import type { Policy } from "../policy.ts";

/** fail: harm shown; unproven: the data cannot exclude it yet; missing: nothing was measured. */
export type GuardrailOutcome = "pass" | "fail" | "unproven" | "missing";

export interface ResultOf<Code extends string> {
  readonly code: Code;
  readonly outcome: GuardrailOutcome;
  /** What was measured and the limit, by name. */
  readonly numbers: Readonly<Record<string, number>>;
}

/** How a code is put into words. */
export interface Wording {
  readonly name: string;
  /** What the measured value is, to go before it. */
  readonly measure: string;
  readonly unit: "lists" | "share" | "ratio" | "change" | "ms" | "MB" | "s" | "requests";
  /** The policy's field that sets the limit; absent where none does. */
  readonly field?: string;
  /** The service's own honesty: when it fails nobody is to blame, and nothing may be concluded. */
  readonly isOfService?: true;
}

/** One check, or a few that read the same evidence: the reason codes they give, with their words, and how they judge. */
export interface Guardrail<Code extends string> {
  readonly codes: Readonly<Record<Code, Wording>>;
  /**
   * The limit that came with the check, for a check younger than the first release. A record whose policy has no such
   * limit was made before there was the check, and is judged again without it.
   */
  readonly since?: string;
  /** Never throws: what is not measured, or is not finite, is missing. */
  judge(evidence: ShadowEvidence, policy: Policy): readonly ResultOf<Code>[];
}

export function defineGuardrail<Code extends string>(parts: Guardrail<Code>): Guardrail<Code> {
  return parts;
}

export function guardrail<Code extends string>(
  code: Code,
  outcome: GuardrailOutcome,
  numbers: Readonly<Record<string, number>> = {},
): ResultOf<Code> {
  return { code, outcome, numbers };
}

/** A limit on a measured number without sampling error; what is not finite was not measured. */
export function atMost<Code extends string>(
  code: Code,
  value: number | undefined,
  limit: number,
): ResultOf<Code> {
  if (value === undefined || !Number.isFinite(value)) return guardrail(code, "missing", { limit });
  return guardrail(code, value <= limit ? "pass" : "fail", { value, limit });
}

/** A floor for an uncertain figure: passes above it by the lower bound, fails below it by the upper one. */
export function provenAtLeast<Code extends string>(
  code: Code,
  estimate: { readonly mean: number; readonly low: number; readonly high: number },
  limit: number,
): ResultOf<Code> {
  const { mean: value, low, high } = estimate;
  if (![value, low, high].every(Number.isFinite)) return guardrail(code, "missing", { limit });
  const outcome = low >= limit ? "pass" : high < limit ? "fail" : "unproven";
  return guardrail(code, outcome, { value, low, high, limit });
}

/** A ceiling for an uncertain figure. A bound the sample is too small for is null: unproven. */
export function provenAtMost<Code extends string>(
  code: Code,
  value: number,
  bounds: { readonly lower: number | null; readonly upper: number | null },
  limit: number,
): ResultOf<Code> {
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
