import { type GuardrailResult, wordingOf } from "./all.ts";
import type { Wording } from "./guardrail.ts";

export function guardrailName({ code, outcome }: GuardrailResult): string {
  const suffix =
    outcome === "missing" ? " (not measured)" : outcome === "unproven" ? " (not yet proven)" : "";
  return wordingOf(code).name + suffix;
}

/** "coverage against the baseline's is 0.42 (limit 0.9)" */
export function explainGuardrail(result: GuardrailResult): string {
  const { name, measure, unit, field } = wordingOf(result.code);
  const { value, limit, low, high } = result.numbers;
  if (result.outcome === "missing") return `${name} was not measured`;
  if (result.code === "TRAINED_PAST_CUT") return "the challenger was trained past the cut it is judged from";
  if (value === undefined) {
    return `${result.numbers.users ?? 0} users are too few to judge the ${name}${remedy(result)}`;
  }
  if (unit === "lists") return `${value} ${measure} (none is tolerated)`;
  if (unit === "requests") return `${value} ${measure}`;
  const bounds =
    result.outcome === "unproven" && low !== undefined && high !== undefined
      ? `, somewhere in ${figure(low, unit)} to ${figure(high, unit)}`
      : "";
  const limited = `limit ${figure(limit, unit)}${field === undefined ? "" : `, ${field}`}`;
  return `${measure} is ${figure(value, unit)}${bounds} (${limited})${remedy(result)}`;
}

/** What would settle it. */
function remedy({ outcome, numbers: { moreRequests, moreUsers, baselineHigh } }: GuardrailResult): string {
  if (outcome !== "unproven") return "";
  if (baselineHigh !== undefined) {
    return `; the baseline's may be ${figure(baselineHigh, "ms")} in the same lanes, so that the machine may be to blame: give the worker a machine that is not busy`;
  }
  if (moreRequests !== undefined && moreRequests > 0) {
    return `; ${moreRequests.toLocaleString("en")} more requests like these would settle it`;
  }
  if (moreUsers !== undefined && moreUsers > 0) {
    return `; about ${moreUsers.toLocaleString("en")} more users like these would settle it`;
  }
  return "";
}

function figure(value: number, unit: Wording["unit"]): string {
  if (unit === "share") return `${Number((100 * value).toFixed(2))} %`;
  if (unit === "change") return `${value < 0 ? "−" : "+"}${Number((100 * Math.abs(value)).toFixed(1))} %`;
  if (unit === "ratio") return String(Number(value.toFixed(3)));
  return `${Number(value.toFixed(2))} ${unit}`;
}
