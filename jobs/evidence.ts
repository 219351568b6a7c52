import { itemId, userId } from "../models/data/ids.ts";
import { type Attribution, attribute } from "../models/evaluation/attribution.ts";
import { cohortOf } from "../models/evaluation/cohorts.ts";
import { diversity } from "../models/evaluation/diversity.ts";
import { noFaults } from "../models/evaluation/list-faults.ts";
import { novelty } from "../models/evaluation/novelty.ts";
import type { Pair, ShadowEvidence, ShownToUser } from "../models/gate/evidence.ts";
import type { UserHistory } from "../services/interactions/types.ts";
import type { Attempt, JudgedUser, LaneAnswer, ShadowPair, Watch } from "../services/shadow/types.ts";
import type { JobContext } from "./context.ts";
import { interleavedUsers, withServingCounts } from "./interleaving.ts";

const MS_PER_DAY = 86_400_000;

/** Lets every user in whose attribution window has closed since the last look, in the order of closing. */
export async function enterClosedUsers(context: JobContext, attempt: Attempt | Watch): Promise<void> {
  const [pairs, entered, watermark] = await Promise.all([
    context.shadowLog.pairs(attempt.id),
    context.shadowLog.users(attempt.id),
    context.events.watermark(),
  ]);
  const known = new Set(entered.map((user) => user.userId));
  const waiting = byUser(pairs.filter((pair) => !known.has(pair.userId) && pair.baseline.fault === null));
  const histories = await context.events.histories([...waiting.keys()].map(userId));
  const closed: JudgedUser[] = [];
  for (const [user, own] of waiting) {
    const joined = attributionOf(context, own, histories.get(userId(user)), watermark);
    if (joined.state !== "closed") continue;
    const { state: _, ...figures } = joined;
    closed.push({
      userId: user,
      ...figures,
      lastUpgrade: lastUpgradeFigure(context, own, histories.get(userId(user)), watermark),
    });
  }
  closed.sort((a, b) => a.closedAt - b.closedAt || (a.userId < b.userId ? -1 : 1));
  await context.shadowLog.enter(attempt.id, closed);
}

function attributionOf(
  { policy }: JobContext,
  pairs: readonly ShadowPair[],
  history: UserHistory | undefined,
  watermark: number,
): Attribution {
  const lists = pairs.map(({ historyThrough, k, challenger, baseline }) => ({
    historyThrough,
    k,
    challenger: challenger.items.map(itemId),
    baseline: baseline.items.map(itemId),
  }));
  const events = (history?.entries ?? []).map((entry) => ({
    ...entry,
    listDriven: entry.requestId !== null,
  }));
  return attribute(lists, events, {
    windowMs: policy.shadow.attributionDays * MS_PER_DAY,
    watermark,
    relevantEvents: policy.shadow.relevantEvents,
    maxRequests: policy.shadow.requestsPerUser,
  });
}

/** nDCG of the last upgrade on the requests that it answered; undefined when it was not asked or had nothing joined. */
function lastUpgradeFigure(
  context: JobContext,
  pairs: readonly ShadowPair[],
  history: UserHistory | undefined,
  watermark: number,
): number | undefined {
  const answered = pairs.flatMap(({ lastUpgrade, ...pair }) =>
    lastUpgrade === undefined || lastUpgrade.fault !== null ? [] : [{ ...pair, baseline: lastUpgrade }],
  );
  // With a request missing the two figures would be means over different requests.
  if (answered.length < pairs.length) return undefined;
  const joined = attributionOf(context, answered, history, watermark);
  return joined.state === "closed" ? joined.baseline : undefined;
}

/** All that a verdict on this attempt rests on, as it stands now. */
export async function shadowEvidence(context: JobContext, attempt: Attempt): Promise<ShadowEvidence> {
  const [pairs, users, shed] = await Promise.all([
    context.shadowLog.pairs(attempt.id),
    context.shadowLog.users(attempt.id),
    context.shadowLog.shedCount(attempt.id),
  ]);
  const { manifest } = await context.artifacts.manifest(attempt.challenger.version);
  const { policy } = context;
  const windowMs = policy.shadow.attributionDays * MS_PER_DAY;
  const repeats = pairs.filter(({ challenger }) => challenger.repeated !== null);
  return {
    kind: attempt.kind,
    challenger: attempt.challenger,
    baseline: attempt.baseline,
    attempt: attempt.attempt,
    plan: attempt.plan,
    users: users.map((user) => ({
      user: user.userId,
      difference: user.challenger - user.baseline,
      baseline: user.baseline,
      cohort: cohortOf(user.historyLength, policy.guardrails),
    })),
    requests: await withServingCounts(context, attempt, {
      asked: pairs.length,
      failures: pairs.filter(({ challenger }) => challenger.fault === "error").length,
      timeouts: pairs.filter(({ challenger }) => challenger.fault === "timeout").length,
    }),
    faults: faultsOf(pairs),
    repeats: {
      checked: repeats.length,
      different: repeats.filter(({ challenger }) => challenger.repeated === false).length,
    },
    latencyMs: latencies(pairs, policy.shadow.latencySamples),
    lists: await listsOf(context, pairs, users),
    catalogueItems: manifest.items,
    sampling: samplingOf(pairs, users, shed),
    sham: { requests: pairs.length, identical: pairs.filter(({ shamIdentical }) => shamIdentical).length },
    feedback: {
      events: users.reduce((sum, { events }) => sum + events, 0),
      listDriven: users.reduce((sum, { listDriven }) => sum + listDriven, 0),
    },
    cost: {
      memoryMb: manifest.cost.artifactBytes / 1e6,
      cpuMsPerRequest: manifest.cost.cpuMsPerRequest,
      trainingSeconds: manifest.cost.fitSeconds + manifest.cost.searchSeconds,
    },
    window:
      users.length === 0
        ? null
        : {
            trainedThrough: Date.parse(manifest.data.through),
            judgedFrom: Math.min(...users.map(({ closedAt }) => closedAt - windowMs)),
          },
    interleaving: await interleavedUsers(context, attempt),
    lastUpgrade: lastUpgradeOf(attempt, users),
  };
}

function lastUpgradeOf(attempt: Attempt, users: readonly JudgedUser[]): ShadowEvidence["lastUpgrade"] {
  if (attempt.kind !== "REFRESH") return null;
  if (attempt.lastUpgrade === undefined) return "is-baseline";
  return users.flatMap(({ userId: user, challenger, lastUpgrade }) =>
    lastUpgrade === undefined ? [] : [{ user, difference: challenger - lastUpgrade }],
  );
}

function faultsOf(pairs: readonly ShadowPair[]): ShadowEvidence["faults"] {
  const faults = noFaults();
  for (const { challenger } of pairs) for (const fault of challenger.broken) faults[fault]++;
  return faults;
}

function latencies(pairs: readonly ShadowPair[], most: number): Pair<readonly number[]> {
  const recent = pairs.slice(-most);
  const of = (lane: "challenger" | "baseline"): number[] =>
    recent.filter((pair) => pair[lane].fault === null).map((pair) => pair[lane].elapsedMs);
  return { challenger: of("challenger"), baseline: of("baseline") };
}

/** Every recorded request is in exactly one of these, counted from the pairs and the users separately. */
function samplingOf(
  pairs: readonly ShadowPair[],
  users: readonly JudgedUser[],
  shed: number,
): ShadowEvidence["sampling"] {
  const joinedOf = new Map(users.map((user) => [user.userId, user.joined]));
  const joined = users.reduce((sum, user) => sum + user.joined, 0);
  const failed = pairs.filter(({ baseline }) => baseline.fault !== null).length;
  let pending = 0;
  let unanswered = -joined;
  for (const { userId: user, baseline } of pairs) {
    if (baseline.fault !== null) continue;
    if (joinedOf.has(user)) unanswered++;
    else pending++;
  }
  return { sampled: pairs.length + shed, joined, unanswered, pending, shed, failed };
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
    const mean = (of: (list: (typeof lists)[number]) => number): number =>
      lists.reduce((sum, list) => sum + of(list), 0) / lists.length;
    return {
      items: [...new Set(lists.flat())].map(numberOf),
      novelty: mean((list) => novelty(list, information)),
      diversity: mean((list) => diversity(list, catalogue)),
    };
  };
  const own = byUser(pairs);
  return users.slice(0, context.policy.shadow.listUsers).flatMap((user) => {
    const asked = own.get(user.userId);
    if (asked === undefined) return [];
    return [
      {
        challenger: shown(asked.map(({ challenger }) => challenger)),
        baseline: shown(asked.map(({ baseline }) => baseline)),
      },
    ];
  });
}

function byUser(pairs: readonly ShadowPair[]): Map<string, ShadowPair[]> {
  const grouped = new Map<string, ShadowPair[]>();
  for (const pair of pairs) {
    const known = grouped.get(pair.userId);
    if (known === undefined) grouped.set(pair.userId, [pair]);
    else known.push(pair);
  }
  return grouped;
}
