import { itemId, userId } from "../../models/data/ids.ts";
import type { Interaction } from "../../models/data/interaction-log.ts";
import type { VersionFacts } from "../../models/gate/evidence.ts";
import type { Policy } from "../../models/gate/policy.ts";
import type { EventLog, UserHistory } from "../../services/interactions/types.ts";
import type { ShadowPayload, ShadowRequest } from "../../services/queues/types.ts";
import {
  type Attempt,
  isWatch,
  type LaneAnswer,
  type ShadowLog,
  type ShadowPair,
  type Watch,
} from "../../services/shadow/types.ts";
import type { LaneQuery, Lanes } from "./lanes.ts";

export interface ShadowDeps {
  readonly events: Pick<EventLog, "histories">;
  readonly shadowLog: ShadowLog;
  readonly lanes: Lanes;
  readonly limits: Pick<Policy["shadow"], "requestsPerUser" | "repeatEvery">;
  /** Epoch milliseconds. */
  now(): number;
}

export interface ShadowResult {
  /** Requests of the batch that could be asked again; the others came from anonymous sessions. */
  readonly asked: number;
  readonly attempts: number;
}

/**
 * Asks every open challenger (and, in a watch, the version that was left), and the baseline, the requests of
 * one batch again: from the same history as of the request. The baseline is asked a second time in a lane of its own (the sham): two lists that differ
 * would mean that the instrument itself is broken. Safe to run twice: pairs are recorded once a request id,
 * and what was shed once a batch id. Once all is recorded, the batch counts as worked off.
 */
export async function shadow(
  deps: ShadowDeps,
  payload: ShadowPayload,
  batchId: string,
): Promise<ShadowResult> {
  const attempts = [...(await deps.shadowLog.openAttempts()), ...(await deps.shadowLog.openWatches())];
  await Promise.all(
    attempts.map(({ id }) => (payload.shed > 0 ? deps.shadowLog.shed(id, batchId, payload.shed) : null)),
  );
  const asked = await askAll(deps, attempts, payload.requests);
  const { run, from } = payload.span;
  const through = from + payload.requests.length + payload.shed;
  await deps.shadowLog.settle(
    { run, from, through },
    attempts.map(({ id }) => id),
    deps.now(),
  );
  return { asked, attempts: attempts.length };
}

/** Resolves to the number of requests that could be asked again. */
async function askAll(
  deps: ShadowDeps,
  attempts: readonly (Attempt | Watch)[],
  all: readonly ShadowRequest[],
): Promise<number> {
  const requests = all.filter((request) => request.userId !== null);
  if (attempts.length === 0 || requests.length === 0) return 0;

  const wanted = await Promise.all(attempts.map((attempt) => withinBudget(deps, attempt, requests)));
  const asked = requests.filter((request) => wanted.some((set) => set.has(request)));
  const queries = await queriesOf(deps, asked);
  const baselines = new Map<string, BaselineAnswers>();
  for (const [position, attempt] of attempts.entries()) {
    const own = asked.flatMap((request, index) =>
      wanted[position].has(request) ? [{ request, index }] : [],
    );
    if (own.length === 0) continue;
    const baseline =
      baselines.get(attempt.baseline.version) ?? (await askBaseline(deps.lanes, attempt, queries));
    baselines.set(attempt.baseline.version, baseline);
    const ask = ({ version }: VersionFacts): Promise<LaneAnswer[]> =>
      deps.lanes.ask(
        version,
        version,
        own.map(({ index }) => queries[index]),
      );
    const answers = await ask(attempt.challenger);
    const upgrade = lastUpgradeOf(attempt);
    const upgradeAnswers = upgrade === undefined ? [] : await ask(upgrade);
    const pairs = own.map(({ request, index }, place) => ({
      ...pairOf(request, answers[place], index, baseline),
      lastUpgrade: upgradeAnswers[place],
    }));
    await deps.shadowLog.record(attempt.id, pairs);
  }
  await deps.lanes.keepOnly(lanesOf(attempts));
  return asked.length;
}

interface BaselineAnswers {
  readonly answers: readonly LaneAnswer[];
  readonly shamIdentical: readonly (boolean | null)[];
}

async function askBaseline(
  lanes: Lanes,
  { baseline }: Attempt | Watch,
  queries: readonly LaneQuery[],
): Promise<BaselineAnswers> {
  const answers = await lanes.ask(baseline.version, baseline.version, queries);
  const sham = await lanes.ask(shamLane(baseline.version), baseline.version, queries);
  return {
    answers,
    shamIdentical: answers.map((answer, index) => isSameAnswer(answer, sham[index])),
  };
}

/** Null where one of the two did not answer: a busy machine says nothing about the instrument. */
export function isSameAnswer(one: LaneAnswer, other: LaneAnswer): boolean | null {
  return one.fault === null && other.fault === null ? one.items.join() === other.items.join() : null;
}

/** Each user's first requests, up to the policy's number: more of the same user would add cost, not evidence. */
async function withinBudget(
  deps: ShadowDeps,
  attempt: Attempt | Watch,
  requests: readonly ShadowRequest[],
): Promise<ReadonlySet<ShadowRequest>> {
  const users = [...new Set(requests.map((request) => request.userId ?? ""))];
  const counts = await deps.shadowLog.requestsOf(attempt.id, users);
  const used = new Map(users.map((user, index) => [user, counts[index]]));
  const within = new Set<ShadowRequest>();
  for (const request of requests) {
    if (!concerns(request, attempt)) continue;
    const user = request.userId ?? "";
    const before = used.get(user) ?? 0;
    if (before >= deps.limits.requestsPerUser) continue;
    used.set(user, before + 1);
    within.add(request);
  }
  return within;
}

/** What the canary answered is its own step's evidence; everything else compares with the live version. */
function concerns({ canary, liveVersion }: ShadowRequest, attempt: Attempt | Watch): boolean {
  const ofCanary = attempt.kind === "canary";
  return canary === true ? ofCanary && liveVersion === attempt.baseline.version : !ofCanary;
}

const shamLane = (baseline: string): string => `${baseline}~sham`;

function lastUpgradeOf(attempt: Attempt | Watch): VersionFacts | undefined {
  return isWatch(attempt) ? undefined : attempt.lastUpgrade;
}

function lanesOf(attempts: readonly (Attempt | Watch)[]): ReadonlySet<string> {
  return new Set(
    attempts.flatMap((attempt) => {
      const { challenger, baseline } = attempt;
      const upgrade = lastUpgradeOf(attempt);
      const asked = [challenger.version, baseline.version, shamLane(baseline.version)];
      return upgrade === undefined ? asked : [...asked, upgrade.version];
    }),
  );
}

async function queriesOf(
  { events, limits }: Pick<ShadowDeps, "events" | "limits">,
  requests: readonly ShadowRequest[],
): Promise<LaneQuery[]> {
  const users = [...new Set(requests.map((request) => userId(request.userId ?? "")))];
  const histories = await events.histories(users);
  return requests.map((request, index) => ({
    repeat: index % limits.repeatEvery === 0,
    history: historyAsOf(histories.get(userId(request.userId ?? "")), request),
    exclude: request.exclude,
    genre: request.genre,
    k: request.k,
  }));
}

/** The history that the served list was made from: what arrived later is left out. */
function historyAsOf(history: UserHistory | undefined, request: ShadowRequest): Interaction[] {
  if (request.sessionItems !== undefined) {
    return request.sessionItems.map((item) => ({ itemId: itemId(item), timestamp: request.at, weight: 1 }));
  }
  return (history?.entries ?? []).filter((entry) => entry.sequence <= request.historyThrough);
}

function pairOf(
  request: ShadowRequest,
  challenger: LaneAnswer,
  index: number,
  { answers, shamIdentical }: BaselineAnswers,
): ShadowPair {
  const { requestId, historyThrough, k } = request;
  const userId = request.userId ?? "";
  return {
    requestId,
    userId,
    historyThrough,
    k,
    challenger,
    baseline: answers[index],
    shamIdentical: shamIdentical[index],
  };
}
