import type { Link } from "./hash-chain.ts";

/** What the log needs of a decision record; the rest is the gate's. */
export interface DecisionRecord extends Link {
  readonly id: string;
  readonly challenger: string;
  /** What was judged, with its evidence: often a figure for every user. */
  readonly hearing: { readonly about: string };
}

/** A record without its evidence and its policy: a few kB where the record may have hundreds. */
export type DecisionSummary<R extends DecisionRecord> = Omit<R, "hearing" | "policy"> & {
  readonly about: R["hearing"]["about"];
};

export function decisionSummary<R extends DecisionRecord>(record: R): DecisionSummary<R> {
  const { hearing, policy: _, ...summary } = record as R & { readonly policy?: unknown };
  return { ...summary, about: hearing.about } as unknown as DecisionSummary<R>;
}

/** How a live version fares beside its predecessor is not what made it live. */
const CLIMBING: ReadonlySet<string> = new Set(["screen", "shadow"]);

export function isAboutClimb({ hearing }: DecisionRecord): boolean {
  return CLIMBING.has(hearing.about);
}
