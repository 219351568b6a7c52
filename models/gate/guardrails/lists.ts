import { LIST_FAULTS, type ListFault } from "../../evaluation/list-faults.ts";
import type { ShadowEvidence } from "../evidence.ts";
import type { GuardrailCode } from "../reasons.ts";
import { type GuardrailResult, guardrail } from "./guardrail.ts";

/** The reason code of each way a list can be broken. */
export const FAULT_CODES: Readonly<Record<ListFault, GuardrailCode>> = {
  "non-finite-score": "NON_FINITE_SCORE",
  "empty-list": "EMPTY_LIST",
  "short-list": "SHORT_LIST",
  "long-list": "LONG_LIST",
  "duplicate-item": "DUPLICATE_ITEM",
  "seen-item": "SEEN_ITEM",
  "unknown-item": "UNKNOWN_ITEM",
  "hidden-item": "HIDDEN_ITEM",
};

/** Zero tolerance: one broken list is one too many. */
export function listGuardrails({ faults, requests, repeats }: ShadowEvidence): GuardrailResult[] {
  const asked = requests?.asked ?? 0;
  if (faults === null || asked === 0) return [guardrail("LIST_CHECKS", "missing"), twoAnswers(repeats)];
  const results = LIST_FAULTS.map((fault) => {
    const value = faults[fault];
    if (!Number.isFinite(value)) return guardrail(FAULT_CODES[fault], "missing");
    return guardrail(FAULT_CODES[fault], value === 0 ? "pass" : "fail", { value, asked, limit: 0 });
  });
  return [...results, twoAnswers(repeats)];
}

/** The same query asked twice must have one answer: anything else cannot be replayed or trusted. */
function twoAnswers(repeats: ShadowEvidence["repeats"]): GuardrailResult {
  if (repeats === null || !(repeats.checked > 0) || !Number.isFinite(repeats.different)) {
    return guardrail("TWO_ANSWERS", "missing");
  }
  const { checked, different } = repeats;
  return guardrail("TWO_ANSWERS", different === 0 ? "pass" : "fail", { value: different, checked, limit: 0 });
}
