import { type Decision, decisionOf } from "../../models/gate/decision.ts";
import { type CaseKind, type EvidenceOf, type RuledCase, rule } from "../../models/gate/ruling.ts";
import type { JobContext } from "../context.ts";

/** Who decides, in records and in the audit, where nothing else is said. */
export const GATE = "gate";

/** What follows from a decision names it, gives its sentence as the reason and acts on its versions. */
export type DecisionRef = Pick<Decision, "id" | "actor" | "challenger" | "baseline" | "sentence">;

/** What a look at a case found. */
export interface CaseLook<Kind extends CaseKind = CaseKind> extends RuledCase<Kind> {
  /** The record that says so; null when none was made. */
  readonly decision: DecisionRef | null;
}

export interface RecordOptions<Kind extends CaseKind> {
  readonly actor?: string | undefined;
  /** Whether there is anything to write down (default: always). */
  readonly isWorthRecording?: (ruled: RuledCase<Kind>) => boolean | Promise<boolean>;
  /** An earlier record that says the same and is still the last word: no second one is made. */
  readonly recordedBefore?: (ruled: RuledCase<Kind>) => Promise<DecisionRef | null>;
}

/**
 * The one way to a ruling: rules once, on the evidence in its written form, and appends the record where one is
 * wanted. A look that writes nothing is ruled by the same function on the same form.
 */
export async function ruleAndRecord<Kind extends CaseKind>(
  { policy, decisions, isoNow }: Pick<JobContext, "policy" | "decisions" | "isoNow">,
  about: Kind,
  evidence: EvidenceOf<Kind>,
  { actor = GATE, isWorthRecording, recordedBefore }: RecordOptions<Kind> = {},
): Promise<CaseLook<Kind>> {
  const ruled = rule(about, evidence, policy);
  if (isWorthRecording !== undefined && !(await isWorthRecording(ruled))) return { ...ruled, decision: null };
  const decision =
    (await recordedBefore?.(ruled)) ??
    (await decisions.append((previousSha256) => decisionOf(ruled, { actor, at: isoNow(), previousSha256 })));
  return { ...ruled, decision };
}
