import { userId } from "../../models/data/ids.ts";
import type { Interaction } from "../../models/data/interaction-log.ts";
import type { VersionFacts } from "../../models/gate/evidence.ts";
import type { Policy } from "../../models/gate/policy.ts";
import { entersSample, samplePlace } from "../../models/gate/request-sample.ts";
import type { EventLog, UserHistory } from "../../services/interactions/types.ts";
import type { ShadowPayload, ShadowRequest } from "../../services/queues/types.ts";
import {
  type Comparison,
  isWatch,
  type LaneAnswer,
  type ShadowLog,
  type ShadowPair,
  servingRole,
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
 * Asks both versions of every open comparison the requests of one batch again, each from the history as of the request.
 * The serving version (a baseline; in a watch the challenger) is asked a second time in a lane of its own, the sham: two
 * lists that differ mean that the instrument itself is broken. Safe to run twice: pairs are recorded once a request id,
 * and what was shed once a batch id. Once all is recorded, the batch counts as worked off.
 */
export async function shadow(
  deps: ShadowDeps,
  payload: ShadowPayload,
  batchId: string,
): Promise<ShadowResult> {
  const open = [...(await deps.shadowLog.openAttempts()), ...(await deps.shadowLog.openWatches())];
  await Promise.all(
    open.map(({ id }) => (payload.shed > 0 ? deps.shadowLog.shed(id, batchId, payload.shed) : null)),
  );
  const asked = await askAll(deps, open, payload.requests);
  const { run, from } = payload.span;
  const through = from + payload.requests.length + payload.shed;
  await deps.shadowLog.settle(
    { run, from, through },
    open.map(({ id }) => id),
    deps.now(),
  );
  return { asked, attempts: open.length };
}

/** Resolves to the number of requests that could be asked again. */
async function askAll(
  deps: ShadowDeps,
  open: readonly Comparison[],
  all: readonly ShadowRequest[],
): Promise<number> {
  const requests = all.filter((request) => request.userId !== null);
  if (open.length === 0 || requests.length === 0) return 0;

  const wanted = await Promise.all(open.map((comparison) => samplesOf(deps, comparison, requests)));
  const asked = requests.filter((request) => wanted.some((own) => own.requests.has(request)));
  const queries = await queriesOf(deps, asked);
  /** A serving version is asked once for all comparisons that it takes part in. */
  const serving = new Map<string, ServingAnswers>();
  for (const [position, comparison] of open.entries()) {
    const own = asked.flatMap((request, index) =>
      wanted[position].requests.has(request) ? [{ request, index }] : [],
    );
    if (own.length === 0) continue;
    const { version } = servingVersion(comparison);
    const served = serving.get(version) ?? (await askServing(deps.lanes, version, queries));
    serving.set(version, served);
    const ask = ({ version }: VersionFacts): Promise<LaneAnswer[]> =>
      deps.lanes.ask(
        version,
        version,
        own.map(({ index }) => queries[index]),
      );
    const shadowed = await ask(shadowedVersion(comparison));
    const upgrade = lastUpgradeOf(comparison);
    const upgradeAnswers = upgrade === undefined ? [] : await ask(upgrade);
    const pairs = own.map(({ request, index }, place) => ({
      ...pairOf(request, comparison, served.answers[index], shadowed[place]),
      shamIdentical: served.shamIdentical[index],
      lastUpgrade: upgradeAnswers[place],
    }));
    await deps.shadowLog.record(comparison, pairs);
    await deps.shadowLog.keepPlaces(comparison.id, wanted[position].places);
  }
  await deps.lanes.keepOnly(lanesOf(open));
  return asked.length;
}

function servingVersion(comparison: Comparison): VersionFacts {
  return comparison[servingRole(comparison)];
}

function shadowedVersion(comparison: Comparison): VersionFacts {
  return servingRole(comparison) === "baseline" ? comparison.challenger : comparison.baseline;
}

interface ServingAnswers {
  readonly answers: readonly LaneAnswer[];
  readonly shamIdentical: readonly (boolean | null)[];
}

async function askServing(
  lanes: Lanes,
  version: string,
  queries: readonly LaneQuery[],
): Promise<ServingAnswers> {
  const answers = await lanes.ask(version, version, queries);
  const sham = await lanes.ask(shamLane(version), version, queries);
  return {
    answers,
    shamIdentical: answers.map((answer, index) => isSameAnswer(answer, sham[index])),
  };
}

/** Null where one of the two did not answer: that says nothing about whether answers differ. */
export function isSameAnswer(one: LaneAnswer, other: LaneAnswer): boolean | null {
  return one.fault === null && other.fault === null ? one.items.join() === other.items.join() : null;
}

interface Wanted {
  readonly requests: ReadonlySet<ShadowRequest>;
  /** What each user's sample holds with them. */
  readonly places: ReadonlyMap<string, readonly number[]>;
}

/** The requests that enter their user's sample, as it stands before the batch: the judge takes the smallest of all. */
async function samplesOf(
  deps: ShadowDeps,
  comparison: Comparison,
  requests: readonly ShadowRequest[],
): Promise<Wanted> {
  const concerned = requests.filter((request) => concerns(request, comparison));
  const users = [...new Set(concerned.map((request) => request.userId ?? ""))];
  const stored = await deps.shadowLog.placesOf(comparison.id, users);
  const held = new Map(users.map((user, index) => [user, stored[index]]));
  const places = new Map<string, readonly number[]>();
  const wanted = new Set<ShadowRequest>();
  for (const request of concerned) {
    const user = request.userId ?? "";
    const before = places.get(user) ?? held.get(user) ?? [];
    const place = samplePlace(request.requestId);
    const entry = entersSample(before, place, deps.limits.requestsPerUser);
    // A place that is held already is this very request, in a batch that is worked off a second time.
    if (entry !== null || before.includes(place)) wanted.add(request);
    if (entry !== null) places.set(user, [...before.filter((other) => other !== entry.replaces), place]);
  }
  return { requests: wanted, places };
}

/** What the canary answered is its own step's evidence; everything else compares with the live version. */
function concerns({ canary, liveVersion }: ShadowRequest, comparison: Comparison): boolean {
  const ofCanary = comparison.kind === "canary";
  return canary === true ? ofCanary && liveVersion === servingVersion(comparison).version : !ofCanary;
}

const shamLane = (version: string): string => `${version}~sham`;

function lastUpgradeOf(comparison: Comparison): VersionFacts | undefined {
  return isWatch(comparison) ? undefined : comparison.lastUpgrade;
}

function lanesOf(open: readonly Comparison[]): ReadonlySet<string> {
  return new Set(
    open.flatMap((comparison) => {
      const { challenger, baseline } = comparison;
      const upgrade = lastUpgradeOf(comparison);
      const asked = [challenger.version, baseline.version, shamLane(servingVersion(comparison).version)];
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
  return requests.map((request, index) => {
    const history = histories.get(userId(request.userId ?? ""));
    return {
      repeat: index % limits.repeatEvery === 0,
      history: historyAsOf(history, request),
      // Seen so long ago that the history does not hold it any more.
      exclude: [...request.exclude, ...(history?.older ?? [])],
      genre: request.genre,
      k: request.k,
    };
  });
}

/** The history that the served list was made from: what arrived later is left out. */
function historyAsOf(history: UserHistory | undefined, request: ShadowRequest): Interaction[] {
  return (history?.entries ?? []).filter((entry) => entry.sequence <= request.historyThrough);
}

function pairOf(
  { requestId, userId, historyThrough, k }: ShadowRequest,
  comparison: Comparison,
  serving: LaneAnswer,
  shadowed: LaneAnswer,
): Omit<ShadowPair, "shamIdentical"> {
  const answers =
    servingRole(comparison) === "baseline"
      ? { challenger: shadowed, baseline: serving }
      : { challenger: serving, baseline: shadowed };
  return { requestId, userId: userId ?? "", historyThrough, k, ...answers };
}
