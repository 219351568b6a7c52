import { MS_PER_DAY } from "../../models/data/day.ts";
import { type FaultCounts, LIST_FAULTS } from "../../models/evaluation/list-faults.ts";
import type { ShadowEvidence, ShownToUser } from "../../models/gate/evidence.ts";
import type { Attempt, JudgedUser, ShownByOne } from "../../services/shadow/types.ts";
import type { JobContext } from "../context.ts";
import type { RecordedShadow } from "./closed-users.ts";
import { interleavedVotes, withServingCounts } from "./interleaving.ts";
import { comparisonsOf, isOfCurrent } from "./pairs.ts";

/** All that a verdict on this attempt rests on, as it stands now. */
export async function shadowEvidence(
  context: JobContext,
  attempt: Attempt,
  recorded: RecordedShadow,
): Promise<ShadowEvidence> {
  const { users } = recorded;
  const { shadowLog } = context;
  const [shed, lost, counts, latencies] = await Promise.all([
    shadowLog.shedCount(attempt.id),
    shadowLog.lost(attempt.id, context.now() - context.policy.shadow.overtakenSeconds * 1000),
    shadowLog.counts(attempt.id),
    shadowLog.latencies(attempt.id),
  ]);
  const { manifest } = await context.artifacts.manifest(attempt.challenger.version);
  const count = (name: string): number => counts[name] ?? 0;
  // Guardrails judge the present version: what was counted before it is left out.
  const before = attempt.current?.before ?? {};
  const own = (name: string): number => count(name) - (before[name] ?? 0);
  return {
    kind: attempt.kind,
    challenger: attempt.challenger,
    baseline: attempt.baseline,
    attempt: attempt.attempt,
    usersPerDay: usersPerDay(users),
    plan: attempt.plan,
    users: comparisonsOf(users, context, attempt),
    vouching: recorded.vouching,
    requests: await withServingCounts(context, attempt, {
      asked: own("asked"),
      failures: own("failures"),
      timeouts: own("timeouts"),
      baselineFailed: own("baselineFailed"),
    }),
    faults: Object.fromEntries(LIST_FAULTS.map((fault) => [fault, own(`broken:${fault}`)])) as FaultCounts,
    repeats: { checked: own("repeats"), different: own("repeatsDifferent") },
    latencyMs: {
      challenger: latencies.flatMap(({ challenger }) => challenger ?? []),
      baseline: latencies.flatMap(({ baseline }) => baseline ?? []),
    },
    lists: await listsOf(context, attempt, users),
    catalogueItems: manifest.items,
    sampling: samplingOf(recorded, count, shed, lost),
    sham: { requests: own("shams"), identical: own("shamsIdentical") },
    agreement: agreementOf(own),
    feedback: {
      events: users.reduce((sum, { events }) => sum + events, 0),
      listDriven: users.reduce((sum, { listDriven }) => sum + listDriven, 0),
    },
    cost: {
      // Not finite before the challenger's lane has answered.
      memoryMb: counts.memoryMb ?? Number.NaN,
      cpuMsPerRequest: manifest.cost.cpuMsPerRequest,
      trainingSeconds: manifest.cost.fitSeconds + manifest.cost.searchSeconds,
    },
    window: judgedWindow(attempt, users, Date.parse(manifest.data.through)),
    ...(await interleavedVotes(context, attempt)),
    lastUpgrade: lastUpgradeOf(attempt, users),
  };
}

/** Of the users whom the present version was judged by. */
function judgedWindow(
  attempt: Attempt,
  users: readonly JudgedUser[],
  trainedThrough: number,
): ShadowEvidence["window"] {
  const times = users.filter((user) => isOfCurrent(user, attempt)).map(({ firstAt }) => firstAt);
  return times.length === 0 ? null : { trainedThrough, judgedFrom: times.reduce((a, b) => Math.min(a, b)) };
}

/** Undefined as long as they do not lie apart in time. */
function usersPerDay(users: RecordedShadow["users"]): number | undefined {
  const first = users.at(0)?.closedAt ?? 0;
  const last = users.at(-1)?.closedAt ?? 0;
  return last > first ? ((users.length - 1) * MS_PER_DAY) / (last - first) : undefined;
}

function lastUpgradeOf(attempt: Attempt, users: readonly JudgedUser[]): ShadowEvidence["lastUpgrade"] {
  if (attempt.kind === "UPGRADE") return null;
  if (attempt.lastUpgrade === undefined) return "is-baseline";
  return users.flatMap(({ userId: user, challenger, lastUpgrade }) =>
    lastUpgrade === undefined ? [] : [{ user, difference: challenger - lastUpgrade, baseline: lastUpgrade }],
  );
}

type Count = (name: string) => number;

function agreementOf(count: Count): ShadowEvidence["agreement"] {
  const counts = { requests: count("asked"), identical: count("identical") };
  const both = count("bothAnswered");
  if (both === 0) return counts;
  return { ...counts, overlap: count("overlap") / both, rankBiased: count("rankBiased") / both };
}

/**
 * Every sampled request is in exactly one of these. Replicas' numbers, requests and users are counted separately, so that
 * a request lost between a replica and the panel shows: it is sampled, and in none of the others.
 */
function samplingOf(
  { entered: users }: RecordedShadow,
  count: Count,
  shed: number,
  lost: number,
): ShadowEvidence["sampling"] {
  const sum = (of: (user: JudgedUser) => number): number =>
    users.reduce((total, user) => total + of(user), 0);
  const failed = count("baselineFailed");
  return {
    sampled: count("asked") + shed + lost,
    joined: sum(({ joined }) => joined),
    // Also what gave way to others of the sample, and what was followed by nothing.
    unanswered: sum(({ unanswered }) => unanswered) + count("replaced") + count("unheard"),
    early: sum(({ early }) => early) + count("early"),
    pending: count("asked") - failed - count("released") - count("replaced"),
    shed,
    failed,
  };
}

/** What both models showed the judged users, for coverage, novelty and diversity. */
async function listsOf(
  { shadowLog }: JobContext,
  attempt: Attempt,
  users: readonly JudgedUser[],
): Promise<ShadowEvidence["lists"]> {
  if (users.length === 0) return null;
  const numbers = new Map<string, number>();
  const numberOf = (item: string): number => {
    const known = numbers.get(item) ?? numbers.size;
    numbers.set(item, known);
    return known;
  };
  const numbered = ({ items, ...rest }: ShownByOne): ShownToUser => ({ ...rest, items: items.map(numberOf) });
  const counted = new Map(users.map((user) => [user.userId, user]));
  return (await shadowLog.shown(attempt)).flatMap(({ userId, challenger, baseline }) => {
    const user = counted.get(userId);
    if (user === undefined) return [];
    const both = { challenger: numbered(challenger), baseline: numbered(baseline) };
    return [{ ...both, chosenDiversity: user.chosenDiversity }];
  });
}
