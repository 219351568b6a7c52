import type { ShadowEvidence } from "../evidence.ts";
import type { Policy } from "../policy.ts";
import { catalogueGuardrails } from "./catalogue.ts";
import { cohortGuardrails } from "./cohorts.ts";
import type { GuardrailResult } from "./guardrail.ts";
import { integrityGuardrails } from "./integrity.ts";
import { listGuardrails } from "./lists.ts";
import { costGuardrails, failureGuardrail, latencyGuardrail } from "./speed.ts";

/** Every guardrail, in the order in which a reader wants to hear of them. */
export function allGuardrails(evidence: ShadowEvidence, policy: Policy): GuardrailResult[] {
  return [
    ...listGuardrails(evidence),
    failureGuardrail(evidence, policy.guardrails),
    latencyGuardrail(evidence, policy.guardrails),
    ...integrityGuardrails(evidence, policy.guardrails),
    ...costGuardrails(evidence, policy.guardrails),
    ...catalogueGuardrails(evidence, policy),
    ...cohortGuardrails(evidence, policy),
  ];
}
