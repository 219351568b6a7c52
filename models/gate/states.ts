/** Which state may follow which. Exactly one version is LIVE; nothing follows QUARANTINED, REJECTED and RETIRED. */
export const TRANSITIONS = {
  REGISTERED: ["SCREENED", "REJECTED"],
  SCREENED: ["SHADOWING", "REJECTED"],
  SHADOWING: ["ELIGIBLE", "REJECTED", "STALE"],
  ELIGIBLE: ["CANARY", "LIVE", "REJECTED", "STALE"],
  /** Serves a share of the users; LIVE still serves the others. */
  CANARY: ["LIVE", "QUARANTINED", "STALE"],
  /** The baseline or the policy changed under it: it goes on with a pair that is open, or tries again with the next k. */
  STALE: ["SCREENED", "SHADOWING", "REJECTED"],
  LIVE: ["PREVIOUS", "QUARANTINED"],
  /** Back to LIVE by rollback only. */
  PREVIOUS: ["LIVE", "RETIRED"],
  RETIRED: [],
  REJECTED: [],
  QUARANTINED: [],
} as const satisfies Record<string, readonly string[]>;

export type VersionState = keyof typeof TRANSITIONS;

export const VERSION_STATES = Object.keys(TRANSITIONS) as readonly VersionState[];

export function mayBecome(from: VersionState, to: VersionState): boolean {
  return (TRANSITIONS[from] as readonly VersionState[]).includes(to);
}
