import type { GuardrailCode } from "../reasons.ts";
import type { GuardrailResult } from "./guardrail.ts";

interface Wording {
  readonly name: string;
  /** What the measured value is, to go before it. */
  readonly measure: string;
  readonly unit: "lists" | "share" | "ratio" | "change" | "ms" | "MB" | "s" | "requests";
}

const WORDINGS: Readonly<Record<GuardrailCode, Wording>> = {
  LIST_CHECKS: { name: "list checks", measure: "faulty lists", unit: "lists" },
  NON_FINITE_SCORE: { name: "finite scores", measure: "lists with a score that is no number", unit: "lists" },
  EMPTY_LIST: { name: "empty lists", measure: "empty lists", unit: "lists" },
  SHORT_LIST: { name: "short lists", measure: "lists that are too short", unit: "lists" },
  LONG_LIST: { name: "long lists", measure: "lists that are too long", unit: "lists" },
  DUPLICATE_ITEM: { name: "duplicates", measure: "lists with an item twice", unit: "lists" },
  SEEN_ITEM: { name: "seen items", measure: "lists with an item the user has seen", unit: "lists" },
  UNKNOWN_ITEM: { name: "unknown items", measure: "lists with an item that does not exist", unit: "lists" },
  HIDDEN_ITEM: { name: "hidden items", measure: "lists with an item that must not be shown", unit: "lists" },
  TWO_ANSWERS: { name: "repeatable answers", measure: "queries with two answers", unit: "lists" },
  FAILURE_RATE: { name: "failure rate", measure: "the rate of failures and time-outs", unit: "share" },
  LATENCY: { name: "latency", measure: "the p99 of a recommendation", unit: "ms" },
  COVERAGE: { name: "coverage", measure: "coverage against the baseline's", unit: "ratio" },
  NOVELTY: { name: "novelty", measure: "novelty against the baseline's", unit: "ratio" },
  DIVERSITY: { name: "diversity", measure: "diversity against the baseline's", unit: "ratio" },
  CONCENTRATION: { name: "concentration", measure: "the rise of the Gini coefficient", unit: "ratio" },
  COLD_USERS: { name: "cold users", measure: "the change for cold users", unit: "change" },
  LIGHT_USERS: { name: "light users", measure: "the change for light users", unit: "change" },
  HEAVY_USERS: { name: "heavy users", measure: "the change for heavy users", unit: "change" },
  MEMORY: { name: "memory", measure: "resident memory", unit: "MB" },
  CPU_TIME: { name: "CPU time", measure: "CPU time a request", unit: "ms" },
  TRAINING_TIME: { name: "training time", measure: "training time", unit: "s" },
  TRAINED_PAST_CUT: { name: "training cut", measure: "training data", unit: "s" },
  SAMPLING_INTEGRITY: { name: "sampling counts", measure: "unaccounted requests", unit: "requests" },
  SHED: { name: "shedding", measure: "the share of requests shed", unit: "share" },
  SHAM_LANE: { name: "sham lane", measure: "agreement of the baseline with itself", unit: "share" },
};

export function guardrailName({ code, outcome }: GuardrailResult): string {
  const suffix =
    outcome === "missing" ? " (not measured)" : outcome === "unproven" ? " (not yet proven)" : "";
  return WORDINGS[code].name + suffix;
}

/** "coverage against the baseline's is 0.42 (limit 0.9)" */
export function explainGuardrail(result: GuardrailResult): string {
  const { name, measure, unit } = WORDINGS[result.code];
  const { value, limit, low, high } = result.numbers;
  if (result.outcome === "missing") return `${name} was not measured`;
  if (result.code === "TRAINED_PAST_CUT") return "the challenger was trained past the cut it is judged from";
  if (value === undefined) return `${result.numbers.users ?? 0} users are too few to judge the ${name}`;
  if (unit === "lists") return `${value} ${measure} (none is tolerated)`;
  if (unit === "requests") return `${value} ${measure}`;
  const bounds =
    result.outcome === "unproven" && low !== undefined && high !== undefined
      ? `, somewhere in ${figure(low, unit)} to ${figure(high, unit)}`
      : "";
  return `${measure} is ${figure(value, unit)}${bounds} (limit ${figure(limit, unit)})`;
}

function figure(value: number, unit: Wording["unit"]): string {
  if (unit === "share") return `${Number((100 * value).toFixed(2))} %`;
  if (unit === "change") return `${value < 0 ? "−" : "+"}${Number((100 * Math.abs(value)).toFixed(1))} %`;
  if (unit === "ratio") return String(Number(value.toFixed(3)));
  return `${Number(value.toFixed(2))} ${unit}`;
}
