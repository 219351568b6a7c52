import { overlap, rankBiasedOverlap } from "../../models/evaluation/overlap.ts";
import type { Part } from "../../services/shadow/panel.ts";
import { type Comparison, type LaneAnswer, type Role, servingRole } from "../../services/shadow/types.ts";

/**
 * What a comparison counts of one request that both of its versions were asked, for the guardrails. The names are those
 * of the counts that Redis holds; sums only, so that the request itself may be dropped.
 */
export function partOf(
  comparison: Comparison,
  k: number,
  answers: ReadonlyMap<string, LaneAnswer>,
  sham: LaneAnswer | undefined,
): Part {
  const challenger = answerOf(answers, comparison.challenger.version);
  const baseline = answerOf(answers, comparison.baseline.version);
  const pair = { challenger, baseline };
  const serving = pair[servingRole(comparison)];
  const shamIdentical = sham === undefined ? null : isSameAnswer(serving, sham);
  return { comparison: comparison.id, answered: serving.fault === null, ...countsOf(pair, k, shamIdentical) };
}

/** The same of a pair whose place in the panel does not matter. */
export function countsOf(
  { challenger, baseline }: Readonly<Record<Role, LaneAnswer>>,
  k: number,
  shamIdentical: boolean | null,
): Pick<Part, "add" | "latency" | "memoryMb"> {
  const add: Record<string, number> = { asked: 1 };
  const count = (name: string, isSo: boolean): void => {
    if (isSo) add[name] = (add[name] ?? 0) + 1;
  };
  count("failures", challenger.fault === "error");
  count("timeouts", challenger.fault === "timeout");
  count("baselineFailed", baseline.fault !== null);
  for (const fault of challenger.broken) count(`broken:${fault}`, true);
  count("repeats", challenger.repeated !== null);
  count("repeatsDifferent", challenger.repeated === false);
  count("shams", shamIdentical !== null);
  count("shamsIdentical", shamIdentical === true);
  count("identical", challenger.fault === null && isSameList(challenger, baseline));
  if (challenger.fault === null && baseline.fault === null) {
    count("bothAnswered", true);
    add.overlap = overlap(challenger.items, baseline.items, k);
    add.rankBiased = rankBiasedOverlap(challenger.items, baseline.items);
  }
  const msOf = ({ fault, elapsedMs }: LaneAnswer): string => (fault === null ? String(elapsedMs) : "-");
  return { add, latency: `${msOf(challenger)} ${msOf(baseline)}`, memoryMb: challenger.memoryMb };
}

/** Null where one of the two did not answer: that says nothing about whether answers differ. */
export function isSameAnswer(one: LaneAnswer, other: LaneAnswer): boolean | null {
  return one.fault === null && other.fault === null ? isSameList(one, other) : null;
}

function isSameList(one: LaneAnswer, other: LaneAnswer): boolean {
  return one.items.join() === other.items.join();
}

function answerOf(answers: ReadonlyMap<string, LaneAnswer>, version: string): LaneAnswer {
  const answer = answers.get(version);
  if (answer === undefined) throw new Error(`shadow: expected an answer of ${version}, got none`);
  return answer;
}
