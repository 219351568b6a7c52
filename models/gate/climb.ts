/** A challenger that is open against the live version, as it stands at one look. */
export interface Climber {
  readonly version: string;
  readonly phase: number;
  readonly cpuMsPerRequest: number;
  /** Whether its own test and guardrails passed. */
  readonly passed: boolean;
  /** About how many more users its lift so far would need to pass; null when it leads nowhere. */
  readonly moreUsers: number | null;
  /** Users that entered since it passed; 0 when it has not. */
  readonly usersSincePass: number;
}

export type Climb =
  | { readonly climbs: null; readonly waits: null }
  /** `insteadOf`: simpler ones that passed too, and over which its own pair is proven. */
  | { readonly climbs: string; readonly insteadOf: readonly string[]; readonly waits: null }
  | {
      readonly climbs: null;
      readonly waits: {
        readonly version: string;
        /** Those on the rungs it would skip that may still pass. */
        readonly for: readonly string[];
        readonly usersLeft: number;
      };
    };

/**
 * Which of several climbs. The simplest that passed; a costlier one only where their own pair passed too, so that
 * complexity pays for itself against the best simple model and not against a weaker one. Who would skip a rung waits
 * for the challengers on it that are about to pass, for at most `patienceUsers` users: simple approaches are exhausted
 * before complex ones are paid for, and nobody waits for one that would not make it in that time.
 *
 * @param pairPassed whether the first is proven over the second
 */
export function whoClimbs(
  climbers: readonly Climber[],
  pairPassed: (challenger: string, baseline: string) => boolean,
  { livePhase, patienceUsers }: { readonly livePhase: number; readonly patienceUsers: number },
): Climb {
  const [simplest, ...costlier] = climbers.filter(({ passed }) => passed).sort(bySimplicity);
  if (simplest === undefined) return { climbs: null, waits: null };
  let best = simplest;
  const insteadOf: string[] = [];
  for (const next of costlier) {
    if (!pairPassed(next.version, best.version)) continue;
    insteadOf.push(best.version);
    best = next;
  }
  const usersLeft = patienceUsers - best.usersSincePass;
  const hopeful = climbers.filter(
    ({ passed, moreUsers, phase }) =>
      !passed && moreUsers !== null && moreUsers <= usersLeft && phase > livePhase && phase < best.phase,
  );
  if (hopeful.length > 0 && usersLeft > 0) {
    return {
      climbs: null,
      waits: { version: best.version, for: hopeful.map(({ version }) => version), usersLeft },
    };
  }
  return { climbs: best.version, insteadOf, waits: null };
}

function bySimplicity(one: Climber, other: Climber): number {
  return (
    one.phase - other.phase ||
    one.cpuMsPerRequest - other.cpuMsPerRequest ||
    (one.version < other.version ? -1 : 1)
  );
}
