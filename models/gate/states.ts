/**
 * Which state may follow which. Exactly one version is LIVE. A promotion that is forced comes from any state but
 * QUARANTINED and PREVIOUS.
 */
export const TRANSITIONS = {
  REGISTERED: ["SCREENED", "REJECTED"],
  SCREENED: ["SHADOWING", "REJECTED"],
  /** RETIRED: a later version of its line goes on in its place. */
  SHADOWING: ["ELIGIBLE", "REJECTED", "STALE", "RETIRED"],
  ELIGIBLE: ["CANARY", "LIVE", "REJECTED", "STALE"],
  /** Serves a share of the users; LIVE still serves the others. */
  CANARY: ["LIVE", "QUARANTINED", "RETIRED", "STALE"],
  /** The baseline or the policy changed under it: it goes on with a pair that is open, or tries again with the next k. */
  STALE: ["SCREENED", "SHADOWING", "REJECTED"],
  LIVE: ["PREVIOUS", "QUARANTINED", "RETIRED"],
  /** Back to LIVE by rollback only. */
  PREVIOUS: ["LIVE", "RETIRED"],
  /** Replaced, or left by an operator: no verdict on it. Back by a rollback to it, or to the gate when released. */
  RETIRED: ["LIVE", "PREVIOUS", "STALE"],
  REJECTED: [],
  /** Left for proven harm or failure. Only a release, with a reason, lets it face the gate again. */
  QUARANTINED: ["STALE"],
} as const satisfies Record<string, readonly string[]>;

export type VersionState = keyof typeof TRANSITIONS;

export const VERSION_STATES = Object.keys(TRANSITIONS) as readonly VersionState[];

export function mayBecome(from: VersionState, to: VersionState): boolean {
  return (TRANSITIONS[from] as readonly VersionState[]).includes(to);
}
