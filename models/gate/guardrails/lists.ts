import { LIST_FAULTS, type ListFault } from "../../evaluation/list-faults.ts";
import type { ShadowEvidence } from "../evidence.ts";
import { defineGuardrail, guardrail } from "./guardrail.ts";

/** The reason code of each way a list can be broken. */
export const FAULT_CODES = {
  "non-finite-score": "NON_FINITE_SCORE",
  "empty-list": "EMPTY_LIST",
  "short-list": "SHORT_LIST",
  "long-list": "LONG_LIST",
  "duplicate-item": "DUPLICATE_ITEM",
  "seen-item": "SEEN_ITEM",
  "unknown-item": "UNKNOWN_ITEM",
  "hidden-item": "HIDDEN_ITEM",
} as const satisfies Readonly<Record<ListFault, string>>;

/** Zero tolerance: one broken list is one too many. */
export const LISTS = defineGuardrail({
  codes: {
    LIST_CHECKS: { name: "list checks", measure: "faulty lists", unit: "lists" },
    NON_FINITE_SCORE: {
      name: "finite scores",
      measure: "lists with a score that is no number",
      unit: "lists",
    },
    EMPTY_LIST: { name: "empty lists", measure: "empty lists", unit: "lists" },
    SHORT_LIST: { name: "short lists", measure: "lists that are too short", unit: "lists" },
    LONG_LIST: { name: "long lists", measure: "lists that are too long", unit: "lists" },
    DUPLICATE_ITEM: { name: "duplicates", measure: "lists with an item twice", unit: "lists" },
    SEEN_ITEM: { name: "seen items", measure: "lists with an item the user has seen", unit: "lists" },
    UNKNOWN_ITEM: { name: "unknown items", measure: "lists with an item that does not exist", unit: "lists" },
    HIDDEN_ITEM: {
      name: "hidden items",
      measure: "lists with an item that must not be shown",
      unit: "lists",
    },
    TWO_ANSWERS: { name: "repeatable answers", measure: "queries with two answers", unit: "lists" },
  },
  judge: ({ faults, requests, repeats }) => {
    const asked = requests?.asked ?? 0;
    if (faults === null || asked === 0) return [guardrail("LIST_CHECKS", "missing"), twoAnswers(repeats)];
    const results = LIST_FAULTS.map((fault) => {
      const value = faults[fault];
      if (!Number.isFinite(value)) return guardrail(FAULT_CODES[fault], "missing");
      return guardrail(FAULT_CODES[fault], value === 0 ? "pass" : "fail", { value, asked, limit: 0 });
    });
    return [...results, twoAnswers(repeats)];
  },
});

/** The same query asked twice must have one answer: anything else cannot be replayed or trusted. */
function twoAnswers(repeats: ShadowEvidence["repeats"]) {
  if (repeats === null || !(repeats.checked > 0) || !Number.isFinite(repeats.different)) {
    return guardrail("TWO_ANSWERS", "missing");
  }
  const { checked, different } = repeats;
  return guardrail("TWO_ANSWERS", different === 0 ? "pass" : "fail", { value: different, checked, limit: 0 });
}
