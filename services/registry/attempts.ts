import type { Write } from "./commit.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * An attempt is an entry into SHADOWING. Counted twice: how often this challenger tried against this baseline,
 * and how many attempts anybody ever made against it. The second is the k that α is spent over: otherwise, of many
 * worthless challengers one after the other, one would pass by chance. Versions hold no "/", so fields cannot collide.
 */
const ofBaseline = (baseline: string): string => baseline;
const ofChallenger = (baseline: string, challenger: string): string => `${baseline}/${challenger}`;
const indexOf = (baseline: string, challenger: string): string => `${baseline}/${challenger}/k`;

type Counts = Pick<Snapshot, "attempts" | "live">;

function count({ attempts, live }: Counts, field: (baseline: string) => string): number {
  return live === null ? 0 : Number(attempts[field(live.version)] ?? 0);
}

/** Attempts of `challenger` against the present baseline. */
export function attemptsOf(counts: Counts, challenger: string): number {
  return count(counts, (baseline) => ofChallenger(baseline, challenger));
}

/** k of the challenger's latest attempt: attempts by anybody against the present baseline up to it; 0 before. */
export function attemptIndexOf(counts: Counts, challenger: string): number {
  return count(counts, (baseline) => indexOf(baseline, challenger));
}

export function countAttempt(counts: Counts, challenger: string): Write[] {
  const { live } = counts;
  if (live === null) return [];
  const k = count(counts, ofBaseline) + 1;
  return [
    ["attempts", ofBaseline(live.version), String(k)],
    ["attempts", ofChallenger(live.version, challenger), String(attemptsOf(counts, challenger) + 1)],
    ["attempts", indexOf(live.version, challenger), String(k)],
  ];
}
