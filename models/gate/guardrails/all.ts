import type { ShadowEvidence } from "../evidence.ts";
import type { Policy } from "../policy.ts";
import { CATALOGUE } from "./catalogue.ts";
import { COHORT_LOSS } from "./cohorts.ts";
import { COST } from "./cost.ts";
import type { Guardrail, ResultOf, Wording } from "./guardrail.ts";
import { INTEGRITY } from "./integrity.ts";
import { LISTS } from "./lists.ts";
import { FAILURES, LATENCY } from "./speed.ts";

/** Every guardrail, in the order in which a reader wants to hear of them. */
const GUARDRAILS = [LISTS, FAILURES, LATENCY, INTEGRITY, COST, CATALOGUE, COHORT_LOSS] as const;

type CodeOf<G> = G extends Guardrail<infer Code> ? Code : never;

export type GuardrailCode = CodeOf<(typeof GUARDRAILS)[number]>;

export type GuardrailResult = ResultOf<GuardrailCode>;

export function allGuardrails(evidence: ShadowEvidence, policy: Policy): GuardrailResult[] {
  return resultsOf<GuardrailCode>(GUARDRAILS, evidence, policy);
}

/** Of the checks that there were when the policy was written. */
export function resultsOf<Code extends string>(
  checks: readonly Pick<Guardrail<Code>, "since" | "judge">[],
  evidence: ShadowEvidence,
  policy: Policy,
): ResultOf<Code>[] {
  return checks
    .filter(({ since }) => since === undefined || since in policy.guardrails)
    .flatMap((check) => check.judge(evidence, policy));
}

const WORDINGS = new Map<string, Wording>(GUARDRAILS.flatMap(({ codes }) => Object.entries(codes)));

export function wordingOf(code: GuardrailCode): Wording {
  const wording = WORDINGS.get(code);
  if (wording === undefined) throw new Error(`guardrails: expected a known code, got ${code}`);
  return wording;
}
