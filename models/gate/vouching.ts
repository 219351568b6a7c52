import { largestBurst } from "../data/burst.ts";
import { MS_PER_DAY } from "../data/day.ts";
import { mean, sampleVariance } from "../evaluation/moments.ts";
import type { ShadowEvidence, UserDifference } from "./evidence.ts";
import type { Policy } from "./policy.ts";
import type { ReasonCode, Verdict } from "./reasons.ts";
import { decidingStage } from "./stage.ts";
import type { WatchEvidence } from "./watch.ts";

/** Where a judged user came from; times are those of the events, so that a replay runs by its own clock. */
export interface Origin {
  /** Id of the key through which the user's lists were asked for; absent before there were keys. */
  readonly source?: string | undefined;
  /** Epoch milliseconds of the first event known of the user. */
  readonly firstSeen: number;
}

/** Undefined of a user of whom no event is known. */
export function originOf(source: string | undefined, eventTimes: readonly number[]): Origin | undefined {
  if (eventTimes.length === 0) return undefined;
  return { source, firstSeen: eventTimes.reduce((first, time) => Math.min(first, time)) };
}

/** A user whose window has closed; without an origin where an earlier version entered the user. */
export interface VouchedUser {
  readonly closedAt: number;
  readonly origin?: Origin | undefined;
}

/** What is known of those who were judged: part of the evidence, kept in records. */
export interface Vouching {
  /** Users known for too short a time. They are not counted. */
  readonly young: number;
  /** Of those counted, the most who appeared within one hour through one key. */
  readonly burst: { readonly users: number; readonly source: string } | null;
}

/** Splits users into those who count and those too young to, with what is known of both. */
export function vouchFor<User extends VouchedUser>(
  users: readonly User[],
  { minimumUserAge }: Pick<Policy["evidence"], "minimumUserAge">,
): { readonly counted: readonly User[]; readonly vouching: Vouching } {
  const counted = users.filter(
    ({ closedAt, origin }) =>
      origin === undefined || closedAt - origin.firstSeen >= minimumUserAge * MS_PER_DAY,
  );
  return { counted, vouching: { young: users.length - counted.length, burst: burstOf(counted) } };
}

function burstOf(users: readonly VouchedUser[]): Vouching["burst"] {
  const firstSeen = new Map<string, number[]>();
  for (const { origin } of users) {
    if (origin?.source === undefined) continue;
    const times = firstSeen.get(origin.source) ?? [];
    times.push(origin.firstSeen);
    firstSeen.set(origin.source, times);
  }
  const bursts = [...firstSeen].map(([source, times]) => ({ users: largestBurst(times).length, source }));
  return bursts.reduce<Vouching["burst"]>(
    (largest, burst) => (burst.users > (largest?.users ?? 0) ? burst : largest),
    null,
  );
}

/** What makes a comparison's evidence suspect. */
export type Suspicion =
  | { readonly kind: "young"; readonly users: number; readonly of: number }
  | { readonly kind: "burst"; readonly users: number; readonly of: number; readonly source: string }
  | { readonly kind: "beyond-belief"; readonly value: number; readonly limit: number };

/**
 * A figure of each judged user, and the most that its mean may be by what the holdout found; null where it found
 * nothing.
 */
interface Believable {
  readonly figures: readonly number[];
  readonly upperBound: number | null;
}

/** Standard errors by which a mean must lie beyond belief: a few lucky users do not call an operator. */
const STANDARD_ERRORS = 2;

/** Older records say nothing of where their users came from, and are ruled as they were. */
function suspicionsOf(
  vouching: Vouching | undefined,
  { figures, upperBound }: Believable,
  { evidence, mde }: Policy,
  minimumUsers: number,
): readonly Suspicion[] {
  if (vouching === undefined) return [];
  const { young, burst } = vouching;
  const counted = figures.length;
  const { largestSourceShare, largestLiftFactor } = evidence;
  const isLarge = (users: number, of: number): boolean =>
    users > largestSourceShare * Math.max(of, minimumUsers);
  const suspicions: Suspicion[] = [];
  const all = counted + young;
  if (isLarge(young, all)) suspicions.push({ kind: "young", users: young, of: all });
  if (burst !== null && isLarge(burst.users, counted))
    suspicions.push({ kind: "burst", of: counted, ...burst });
  if (upperBound !== null && figures.length > 1 && figures.every(Number.isFinite)) {
    const value = mean(figures);
    const limit = largestLiftFactor * Math.max(upperBound, mde);
    const error = Math.sqrt(sampleVariance(figures) / figures.length);
    if (value - STANDARD_ERRORS * error > limit) suspicions.push({ kind: "beyond-belief", value, limit });
  }
  return suspicions;
}

type LiftEvidence = Pick<ShadowEvidence, "vouching" | "users" | "plan"> &
  Partial<Pick<ShadowEvidence, "feedback" | "interleaving" | "votesVouching">>;

/** A lift is believed by what the holdout found of it. Votes count where they decide; of them the holdout says nothing. */
export function suspicionsOfLift(
  { vouching, users, plan, feedback = null, interleaving, votesVouching }: LiftEvidence,
  policy: Policy,
): readonly Suspicion[] {
  const figures = differencesOf(users);
  const lift = { figures, upperBound: plan?.liftUpperBound ?? null };
  const ofShadow = suspicionsOf(vouching, lift, policy, policy.shadow.minimumUsers);
  if (decidingStage({ feedback }, policy) === "shadow") return ofShadow;
  const votes = { figures: differencesOf(interleaving ?? []), upperBound: null };
  return [...ofShadow, ...suspicionsOf(votesVouching, votes, policy, policy.interleaving.minimumUsers)];
}

function differencesOf(users: readonly UserDifference[]): readonly number[] {
  return users.map(({ difference }) => difference);
}

/** Harm may be of any size: what must be believable is how well the older version does, whom the newer one may fail. */
export function suspicionsOfLoss(
  { vouching, users, olderUpperBound }: Pick<WatchEvidence, "vouching" | "users" | "olderUpperBound">,
  policy: Policy,
): readonly Suspicion[] {
  const figures = users.map(({ difference, baseline = 0 }) => difference + baseline);
  return suspicionsOf(
    vouching,
    { figures, upperBound: olderUpperBound ?? null },
    policy,
    policy.shadow.minimumUsers,
  );
}

interface AnyRuling {
  readonly verdict: Verdict;
  readonly reasons: readonly ReasonCode[];
}

/** What a ruling on suspect evidence carries besides. */
export type Suspected<R> = R & { readonly suspicions?: readonly Suspicion[] };

/** Suspect evidence decides nothing, for or against: the verdict is to hold, and an operator is asked. */
export function holdWhereSuspect<R extends AnyRuling>(
  ruling: R,
  suspicions: readonly Suspicion[],
): Suspected<R> {
  if (suspicions.length === 0) return ruling;
  const waiting = ruling.verdict === "hold" ? ruling.reasons : [];
  return { ...ruling, verdict: "hold", reasons: ["EVIDENCE_SUSPECT", ...waiting], suspicions };
}

/** "Held: the evidence is suspect: …; nothing is decided by it, an operator is asked." */
export function explainSuspicions(suspicions: readonly Suspicion[]): string {
  return `Held, the evidence is suspect: ${suspicions.map(words).join("; ")}. It decides nothing, and an operator is asked to look.`;
}

function words(suspicion: Suspicion): string {
  if (suspicion.kind === "beyond-belief") {
    const { value, limit } = suspicion;
    return `a mean of ${value.toFixed(3)} is beyond ${limit.toFixed(3)}, more than the holdout lets anybody believe (evidence.largestLiftFactor)`;
  }
  const some = `${suspicion.users} of ${suspicion.of} users`;
  return suspicion.kind === "young"
    ? `${some} are known for too short a time (evidence.minimumUserAge)`
    : `${some} appeared within one hour through the key ${suspicion.source} (evidence.largestSourceShare)`;
}
