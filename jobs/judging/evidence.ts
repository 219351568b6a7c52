import { MS_PER_DAY } from "../../models/data/day.ts";
import { groupedBy } from "../../models/data/grouped-by.ts";
import { itemId } from "../../models/data/ids.ts";
import { diversity } from "../../models/evaluation/diversity.ts";
import { noFaults } from "../../models/evaluation/list-faults.ts";
import { mean } from "../../models/evaluation/moments.ts";
import { novelty } from "../../models/evaluation/novelty.ts";
import { overlap, rankBiasedOverlap } from "../../models/evaluation/overlap.ts";
import type { Pair, ShadowEvidence, ShownToUser } from "../../models/gate/evidence.ts";
import { sampleOf } from "../../models/gate/request-sample.ts";
import type { Attempt, JudgedUser, LaneAnswer, ShadowPair } from "../../services/shadow/types.ts";
import type { JobContext } from "../context.ts";
import type { RecordedShadow } from "./closed-users.ts";
import { interleavedUsers, withServingCounts } from "./interleaving.ts";
import { comparisonsOf } from "./pairs.ts";

/** All that a verdict on this attempt rests on, as it stands now. */
export async function shadowEvidence(
  context: JobContext,
  attempt: Attempt,
  recorded: RecordedShadow,
): Promise<ShadowEvidence> {
  const { pairs, users } = recorded;
  const [shed, lost] = await Promise.all([
    context.shadowLog.shedCount(attempt.id),
    context.shadowLog.lost(attempt.id, context.now() - context.policy.shadow.overtakenSeconds * 1000),
  ]);
  const { manifest } = await context.artifacts.manifest(attempt.challenger.version);
  const { policy } = context;
  const repeats = pairs.filter(({ challenger }) => challenger.repeated !== null);
  return {
    kind: attempt.kind,
    challenger: attempt.challenger,
    baseline: attempt.baseline,
    attempt: attempt.attempt,
    usersPerDay: usersPerDay(users),
    plan: attempt.plan,
    users: comparisonsOf(users, context),
    vouching: recorded.vouching,
    requests: await withServingCounts(context, attempt, {
      asked: pairs.length,
      failures: pairs.filter(({ challenger }) => challenger.fault === "error").length,
      timeouts: pairs.filter(({ challenger }) => challenger.fault === "timeout").length,
      baselineFailed: pairs.filter(({ baseline }) => baseline.fault !== null).length,
    }),
    faults: faultsOf(pairs),
    repeats: {
      checked: repeats.length,
      different: repeats.filter(({ challenger }) => challenger.repeated === false).length,
    },
    latencyMs: latencies(pairs, policy.shadow.latencySamples),
    lists: await listsOf(context, pairs, users),
    catalogueItems: manifest.items,
    sampling: samplingOf(recorded, shed, lost),
    sham: {
      requests: pairs.filter(({ shamIdentical }) => shamIdentical !== null).length,
      identical: pairs.filter(({ shamIdentical }) => shamIdentical === true).length,
    },
    agreement: agreementOf(pairs),
    feedback: {
      events: users.reduce((sum, { events }) => sum + events, 0),
      listDriven: users.reduce((sum, { listDriven }) => sum + listDriven, 0),
    },
    cost: {
      memoryMb: mostMemoryMb(pairs),
      cpuMsPerRequest: manifest.cost.cpuMsPerRequest,
      trainingSeconds: manifest.cost.fitSeconds + manifest.cost.searchSeconds,
    },
    window:
      users.length === 0
        ? null
        : {
            trainedThrough: Date.parse(manifest.data.through),
            judgedFrom: Math.min(...users.map(({ firstAt }) => firstAt)),
          },
    interleaving: await interleavedUsers(context, attempt),
    lastUpgrade: lastUpgradeOf(attempt, users),
  };
}

/** Undefined as long as they do not lie apart in time. */
function usersPerDay(users: RecordedShadow["users"]): number | undefined {
  const first = users.at(0)?.closedAt ?? 0;
  const last = users.at(-1)?.closedAt ?? 0;
  return last > first ? ((users.length - 1) * MS_PER_DAY) / (last - first) : undefined;
}

function lastUpgradeOf(attempt: Attempt, users: readonly JudgedUser[]): ShadowEvidence["lastUpgrade"] {
  if (attempt.kind !== "REFRESH") return null;
  if (attempt.lastUpgrade === undefined) return "is-baseline";
  return users.flatMap(({ userId: user, challenger, lastUpgrade }) =>
    lastUpgrade === undefined ? [] : [{ user, difference: challenger - lastUpgrade, baseline: lastUpgrade }],
  );
}

function agreementOf(pairs: readonly ShadowPair[]): ShadowEvidence["agreement"] {
  const counts = { requests: pairs.length, identical: pairs.filter(isSameList).length };
  const answered = pairs.filter(({ challenger, baseline }) => !challenger.fault && !baseline.fault);
  if (answered.length === 0) return counts;
  return {
    ...counts,
    overlap: mean(
      answered.map(({ challenger, baseline, k }) => overlap(challenger.items, baseline.items, k)),
    ),
    rankBiased: mean(
      answered.map(({ challenger, baseline }) => rankBiasedOverlap(challenger.items, baseline.items)),
    ),
  };
}

function isSameList({ challenger, baseline }: ShadowPair): boolean {
  return challenger.fault === null && challenger.items.join() === baseline.items.join();
}

function faultsOf(pairs: readonly ShadowPair[]): ShadowEvidence["faults"] {
  const faults = noFaults();
  for (const { challenger } of pairs) for (const fault of challenger.broken) faults[fault]++;
  return faults;
}

/** The most that the challenger's lane ever held; not finite before it has answered. */
function mostMemoryMb(pairs: readonly ShadowPair[]): number {
  return pairs.reduce((most, { challenger }) => {
    const { memoryMb } = challenger;
    if (memoryMb === undefined) return most;
    return Number.isNaN(most) ? memoryMb : Math.max(most, memoryMb);
  }, Number.NaN);
}

function latencies(pairs: readonly ShadowPair[], most: number): Pair<readonly number[]> {
  const recent = pairs.slice(-most);
  const of = (lane: "challenger" | "baseline"): number[] =>
    recent.filter((pair) => pair[lane].fault === null).map((pair) => pair[lane].elapsedMs);
  return { challenger: of("challenger"), baseline: of("baseline") };
}

/**
 * Every sampled request is in exactly one of these. Replicas' numbers, pairs and users are counted separately, so that a
 * request lost between a replica and the pairs shows: it is sampled, and in none of the others.
 */
function samplingOf(
  { pairs, entered: users, early }: RecordedShadow,
  shed: number,
  lost: number,
): ShadowEvidence["sampling"] {
  const sum = (counts: Iterable<number>): number => [...counts].reduce((total, count) => total + count, 0);
  const entered = new Set(users.map((user) => user.userId));
  const answered = pairs.filter(({ baseline }) => baseline.fault === null);
  const ofEntered = answered.filter((pair) => entered.has(pair.userId)).length;
  const joined = sum(users.map((user) => user.joined));
  const enteredEarly = sum(users.map((user) => user.early));
  const waitingEarly = sum(early.values());
  return {
    sampled: pairs.length + shed + lost,
    joined,
    unanswered: ofEntered - joined - enteredEarly,
    early: enteredEarly + waitingEarly,
    pending: answered.length - ofEntered - waitingEarly,
    shed,
    failed: pairs.length - answered.length,
  };
}

/** What both models showed the judged users, for coverage, novelty and diversity. */
async function listsOf(
  context: JobContext,
  pairs: readonly ShadowPair[],
  users: readonly JudgedUser[],
): Promise<ShadowEvidence["lists"]> {
  if (users.length === 0) return null;
  const information = await context.itemInformation();
  const catalogue = await context.catalogue();
  const numbers = new Map<string, number>();
  const numberOf = (item: string): number => {
    const known = numbers.get(item) ?? numbers.size;
    numbers.set(item, known);
    return known;
  };
  const shown = (answers: readonly LaneAnswer[]): ShownToUser => {
    const lists = answers.map(({ items }) => items.map(itemId));
    return {
      items: [...new Set(lists.flat())].map(numberOf),
      novelty: mean(lists.map((list) => novelty(list, information))),
      diversity: mean(lists.map((list) => diversity(list, catalogue))),
    };
  };
  const own = groupedBy(pairs, (pair) => pair.userId);
  const { listUsers, requestsPerUser } = context.policy.shadow;
  return users.slice(0, listUsers).flatMap((user) => {
    const recorded = own.get(user.userId);
    if (recorded === undefined) return [];
    const asked = sampleOf(recorded, requestsPerUser);
    return [
      {
        challenger: shown(asked.map(({ challenger }) => challenger)),
        baseline: shown(asked.map(({ baseline }) => baseline)),
        chosenDiversity: user.chosenDiversity,
      },
    ];
  });
}
