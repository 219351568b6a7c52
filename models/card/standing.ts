import type { VersionState } from "../gate/states.ts";

/** Where a version stands now: what a reader of its card must know before any of its figures. */
export interface Standing {
  readonly state: VersionState;
  /** Why it is in this state, in words. */
  readonly reason: string;
  /** The last decision on it, whatever it was about; null before the first. */
  readonly verdict: Verdict | null;
}

interface Verdict {
  readonly id: string;
  readonly about: string;
  /** ISO 8601. */
  readonly at: string;
  readonly baseline: string;
  readonly sentence: string;
}

const ABOUT: Readonly<Record<string, string>> = {
  screen: "the screen",
  shadow: "the shadow",
  canary: "its canary",
  watch: "the watch over it",
  fleet: "all replicas that served it",
};

/** The first lines of a card: the state in capitals and why, then the last verdict where it says more. */
export function standingLines({ state, reason, verdict }: Standing): string[] {
  const why = reason === "" ? "no reason kept" : reason;
  const lead = `**${state}**: ${why.replace(/\.*$/, ".")}`;
  if (verdict === null) return [`${lead} Nothing was decided about it yet.`];
  const { about, at, baseline, sentence, id } = verdict;
  const day = at.slice(0, 10);
  const source = `last verdict, by ${ABOUT[about] ?? about} beside \`${baseline}\` on ${day} (\`${id}\`)`;
  return reason === sentence ? [`${lead} This is the ${source}.`] : [lead, `The ${source}: ${sentence}`];
}
