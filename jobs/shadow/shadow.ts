import { type ItemId, userId } from "../../models/data/ids.ts";
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
  readonly events: Pick<EventLog, "histories" | "erased">;
  /** Items that no list may hold now. */
  hiddenItems(): Promise<ReadonlySet<ItemId>>;
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

/** A replica may still have held requests of a user who was erased after them. */
async function withoutErased(
  { events }: Pick<ShadowDeps, "events">,
  requests: readonly ShadowRequest[],
): Promise<readonly ShadowRequest[]> {
  const users = [...new Set(requests.map((request) => userId(request.userId ?? "")))];
  const erased = await events.erased(users);
  if (erased.size === 0) return requests;
  return requests.filter(({ userId: user, at }) => {
    const until = erased.get(userId(user ?? ""));
    return until === undefined || at > until;
  });
}

/** Resolves to the number of requests that could be asked again. */
async function askAll(
  deps: ShadowDeps,
  open: readonly Comparison[],
  all: readonly ShadowRequest[],
): Promise<number> {
  const requests = await withoutErased(
    deps,
    all.filter((request) => request.userId !== null),
  );
  if (open.length === 0 || requests.length === 0) return 0;

  const wanted = await Promise.all(open.map((comparison) => samplesOf(deps, comparison, requests)));
  const asked = requests.filter((request) => wanted.some((own) => own.requests.has(request)));
  const queries = await queriesOf(deps, asked);
  const indicesOf = (position: number): number[] =>
    asked.flatMap((request, index) => (wanted[position].requests.has(request) ? [index] : []));
  const answers = new LaneAnswers(deps.lanes, queries, (version) => [
    ...new Set(
      open.flatMap((comparison, position) =>
        versionsOf(comparison).includes(version) ? indicesOf(position) : [],
      ),
    ),
  ]);
  for (const [position, comparison] of open.entries()) {
    const own = indicesOf(position);
    if (own.length === 0) continue;
    const serving = await answers.of(servingVersion(comparison).version);
    const shadowed = await answers.of(shadowedVersion(comparison).version);
    const upgrade = lastUpgradeOf(comparison);
    const upgradeAnswers = upgrade === undefined ? null : await answers.of(upgrade.version);
    const sham = isOfChallengers(comparison, open)
      ? null
      : await answers.shamOf(servingVersion(comparison).version);
    const pairs = own.map((index) => ({
      ...pairOf(asked[index], comparison, answerAt(serving, index), answerAt(shadowed, index)),
      shamIdentical: sham === null ? null : isSameAnswer(answerAt(serving, index), answerAt(sham, index)),
      lastUpgrade: upgradeAnswers === null ? undefined : answerAt(upgradeAnswers, index),
    }));
    await deps.shadowLog.record(comparison, pairs);
    await deps.shadowLog.keepPlaces(comparison.id, wanted[position].places);
  }
  await deps.lanes.keepOnly(lanesOf(open));
  return asked.length;
}

type AnswersByIndex = ReadonlyMap<number, LaneAnswer>;

function answerAt(answers: AnswersByIndex, index: number): LaneAnswer {
  const answer = answers.get(index);
  if (answer === undefined)
    throw new Error(`shadow: expected an answer to query ${index} of the batch, got none`);
  return answer;
}

/** One version answers a request once, however many comparisons it takes part in: so any two of them can be compared. */
class LaneAnswers {
  readonly #lanes: Lanes;
  readonly #queries: readonly LaneQuery[];
  readonly #indicesFor: (version: string) => readonly number[];
  readonly #asked = new Map<string, Promise<AnswersByIndex>>();

  constructor(
    lanes: Lanes,
    queries: readonly LaneQuery[],
    indicesFor: (version: string) => readonly number[],
  ) {
    this.#lanes = lanes;
    this.#queries = queries;
    this.#indicesFor = indicesFor;
  }

  of(version: string): Promise<AnswersByIndex> {
    return this.#ask(version, version);
  }

  shamOf(version: string): Promise<AnswersByIndex> {
    return this.#ask(shamLane(version), version);
  }

  #ask(lane: string, version: string): Promise<AnswersByIndex> {
    const known = this.#asked.get(lane);
    if (known !== undefined) return known;
    const indices = this.#indicesFor(version);
    const asking = this.#lanes
      .ask(
        lane,
        version,
        indices.map((index) => this.#queries[index]),
      )
      .then((answers) => new Map(indices.map((index, place) => [index, answers[place]])));
    this.#asked.set(lane, asking);
    return asking;
  }
}

function servingVersion(comparison: Comparison): VersionFacts {
  return comparison[servingRole(comparison)];
}

function shadowedVersion(comparison: Comparison): VersionFacts {
  return servingRole(comparison) === "baseline" ? comparison.challenger : comparison.baseline;
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

/** A pair of two challengers: its baseline may be live one day, and does not serve now. */
function isOfChallengers(comparison: Comparison, open: readonly Comparison[]): boolean {
  const { version } = comparison.baseline;
  return (
    !isWatch(comparison) && open.some((other) => !isWatch(other) && other.challenger.version === version)
  );
}

function versionsOf(comparison: Comparison): string[] {
  const upgrade = lastUpgradeOf(comparison);
  const both = [comparison.challenger.version, comparison.baseline.version];
  return upgrade === undefined ? both : [...both, upgrade.version];
}

function lanesOf(open: readonly Comparison[]): ReadonlySet<string> {
  return new Set(
    open.flatMap((comparison) => {
      const asked = versionsOf(comparison);
      return isOfChallengers(comparison, open)
        ? asked
        : [...asked, shamLane(servingVersion(comparison).version)];
    }),
  );
}

async function queriesOf(
  deps: Pick<ShadowDeps, "events" | "limits" | "hiddenItems">,
  requests: readonly ShadowRequest[],
): Promise<LaneQuery[]> {
  const users = [...new Set(requests.map((request) => userId(request.userId ?? "")))];
  const [histories, hidden] = await Promise.all([deps.events.histories(users), deps.hiddenItems()]);
  return requests.map((request, index) => {
    const history = histories.get(userId(request.userId ?? ""));
    return {
      repeat: index % deps.limits.repeatEvery === 0,
      history: historyAsOf(history, request),
      exclude: [...request.exclude, ...hidden],
      // Seen so long ago that the history does not hold it any more.
      seen: history?.seen?.bits ?? null,
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
  { requestId, userId, source, historyThrough, k }: ShadowRequest,
  comparison: Comparison,
  serving: LaneAnswer,
  shadowed: LaneAnswer,
): Omit<ShadowPair, "shamIdentical"> {
  const answers =
    servingRole(comparison) === "baseline"
      ? { challenger: shadowed, baseline: serving }
      : { challenger: serving, baseline: shadowed };
  return { requestId, userId: userId ?? "", source, historyThrough, k, ...answers };
}
