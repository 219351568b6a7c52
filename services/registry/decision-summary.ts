import Type, { type Static } from "typebox";
import { VERDICTS } from "../../models/gate/reasons.ts";
import type { Ruling } from "../../models/gate/ruling.ts";
import type { Link } from "../../models/hash-chain.ts";

/** What the log needs of a decision record; the rest is the gate's. */
export interface DecisionRecord extends Link {
  readonly id: string;
  readonly challenger: string;
  /** What was judged, with its evidence: often a figure for every user. */
  readonly hearing: { readonly about: string };
}

/** A record without its evidence and its policy: a few kB where the record may have hundreds. */
export type SummaryOf<R extends DecisionRecord> = Omit<R, "hearing" | "policy"> & {
  readonly about: R["hearing"]["about"];
};

/** The summary of a decision of the gate, as the API answers with it. */
export const DecisionSummary = Type.Object(
  {
    id: Type.String(),
    about: Type.Enum(["screen", "shadow", "canary", "watch", "fleet"], { type: "string" }),
    at: Type.String({ description: "ISO 8601" }),
    actor: Type.String(),
    challenger: Type.String(),
    baseline: Type.String(),
    sentence: Type.String({ description: "the ruling in one sentence" }),
    ruling: Type.Unsafe<Ruling>(
      Type.Object(
        { verdict: Type.Enum([...VERDICTS], { type: "string" }), reasons: Type.Array(Type.String()) },
        { additionalProperties: true, description: "the verdict, and the figures of the test behind it" },
      ),
    ),
    policySha256: Type.String(),
    previousSha256: Type.String(),
    sha256: Type.String(),
  },
  { additionalProperties: true },
);
export type DecisionSummary = Readonly<Static<typeof DecisionSummary>>;

export function decisionSummary<R extends DecisionRecord>(record: R): SummaryOf<R> {
  const { hearing, policy: _, ...summary } = record as R & { readonly policy?: unknown };
  return { ...summary, about: hearing.about } as unknown as SummaryOf<R>;
}

/** How a live version fares beside its predecessor is not what made it live. */
const CLIMBING: ReadonlySet<string> = new Set(["screen", "shadow"]);

export function isAboutClimb({ hearing }: DecisionRecord): boolean {
  return CLIMBING.has(hearing.about);
}
