import type { Write } from "./commit.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * An attempt is an entry into SHADOWING, or the opening of a pair with a version that may yet be live. Counted twice:
 * how often this challenger tried against this baseline, and how many attempts anybody ever made against it. The second
 * is the k that α is spent over: otherwise, of many worthless challengers one after the other, one would pass by
 * chance. Versions hold no "/", so fields cannot collide.
 */
const ofBaseline = (baseline: string): string => baseline;
const ofChallenger = (baseline: string, challenger: string): string => `${baseline}/${challenger}`;
const indexOf = (baseline: string, challenger: string): string => `${baseline}/${challenger}/k`;

type Counts = Pick<Snapshot, "attempts" | "live">;

function count({ attempts }: Counts, field: string): number {
  return Number(attempts[field] ?? 0);
}

/** Attempts of `challenger` against the present baseline. */
export function attemptsOf(counts: Counts, challenger: string): number {
  return counts.live === null ? 0 : count(counts, ofChallenger(counts.live.version, challenger));
}

/** k of the challenger's latest attempt: attempts by anybody at that baseline up to it; 0 before. */
export function attemptIndexOf(counts: Counts, challenger: string, baseline = counts.live?.version): number {
  return baseline === undefined ? 0 : count(counts, indexOf(baseline, challenger));
}

/** Attempts by anybody at the live version. */
export function attemptsAtLiveOf(counts: Counts): number {
  return counts.live === null ? 0 : count(counts, ofBaseline(counts.live.version));
}

/** Attempts by anybody at any baseline. */
export function allAttempts({ attempts }: Counts): number {
  return Object.entries(attempts).reduce(
    (sum, [field, number]) => (field.includes("/") ? sum : sum + Number(number)),
    0,
  );
}

/** One more at this baseline; at the live version where none is named. */
export function countAttempt(counts: Counts, challenger: string, baseline = counts.live?.version): Write[] {
  if (baseline === undefined) return [];
  const k = count(counts, ofBaseline(baseline)) + 1;
  const tries = count(counts, ofChallenger(baseline, challenger)) + 1;
  return [
    ["attempts", ofBaseline(baseline), String(k)],
    ["attempts", ofChallenger(baseline, challenger), String(tries)],
    ["attempts", indexOf(baseline, challenger), String(k)],
  ];
}
