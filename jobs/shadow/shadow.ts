import { MS_PER_DAY } from "../../models/data/day.ts";
import { type ItemId, type UserId, userId } from "../../models/data/ids.ts";
import type { Interaction } from "../../models/data/interaction-log.ts";
import type { VersionFacts } from "../../models/gate/evidence.ts";
import { isDrawn } from "../../models/gate/panel-draw.ts";
import type { Policy } from "../../models/gate/policy.ts";
import type { EventLog, UserHistory } from "../../services/interactions/types.ts";
import type { ShadowPayload, ShadowRequest } from "../../services/queues/types.ts";
import type { PanelDraws } from "../../services/shadow/panel-draw.ts";
import {
  type Comparison,
  isWatch,
  type LaneAnswer,
  type ShadowLog,
  servingRole,
} from "../../services/shadow/types.ts";
import type { LaneQuery, Lanes } from "./lanes.ts";
import { partOf } from "./parts.ts";
import { readSamples } from "./samples.ts";

export interface ShadowDeps {
  readonly events: Pick<EventLog, "histories" | "clocks" | "erased">;
  readonly draws: Pick<PanelDraws, "read">;
  /** Items that no list may hold now. */
  hiddenItems(): Promise<ReadonlySet<ItemId>>;
  readonly shadowLog: ShadowLog;
  readonly lanes: Lanes;
  readonly limits: Pick<Policy["shadow"], "requestsPerUser" | "repeatEvery" | "panelDays">;
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
 * lists that differ mean that the instrument itself is broken. Safe to run twice: a request is held once by its id, and
 * what was shed counted once a batch id. Once all is recorded, the batch counts as worked off.
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
  const { periodMs } = sampleLimits(deps);
  const draw = await deps.draws.read();
  const requests = await withoutErased(
    deps,
    all.filter(({ userId, at }) => userId !== null && isDrawn(draw, userId, at, periodMs)),
  );
  if (open.length === 0 || requests.length === 0) return 0;

  const users = [...new Set(requests.map(({ userId }) => userId ?? ""))];
  const [histories, clocks, samples] = await Promise.all([
    deps.events.histories(users.map(userId)),
    deps.events.clocks(),
    readSamples({ ...deps, limits: sampleLimits(deps) }, open, users),
  ]);
  const wanted = requests.map((request) =>
    samples.take(request, histories.get(userId(request.userId ?? ""))),
  );
  const asked = requests.filter((_, index) => wanted[index].length > 0);
  const wanting = wanted.filter((comparisons) => comparisons.length > 0);
  const queries = await queriesOf(deps, asked, histories);
  const indicesOf = (has: (comparison: Comparison) => boolean): number[] =>
    asked.flatMap((_, index) => (wanting[index].some(has) ? [index] : []));
  const answers = new LaneAnswers(deps.lanes, queries);
  const lists = new Map<string, AnswersByIndex>();
  for (const comparison of open) {
    for (const version of versionsOf(comparison)) {
      if (lists.has(version)) continue;
      const indices = indicesOf((other) => versionsOf(other).includes(version));
      lists.set(version, await answers.of(version, version, indices));
    }
  }
  const shams = new Map<string, AnswersByIndex>();
  for (const comparison of open) {
    const { version } = servingVersion(comparison);
    if (isOfChallengers(comparison, open) || shams.has(version)) continue;
    const indices = indicesOf((other) => other === comparison || servingVersion(other).version === version);
    shams.set(version, await answers.of(shamLane(version), version, indices));
  }
  const held = asked.map((request, index) => {
    const answeredBy = [...lists].flatMap(([version, own]) => {
      const answer = own.get(index);
      return answer === undefined ? [] : [[version, answer] as const];
    });
    const byVersion = new Map(answeredBy);
    return {
      ...requestOf(request),
      lists: Object.fromEntries(
        answeredBy.map(([version, { fault, items }]) => [version, fault ? null : items]),
      ),
      heldAt: { live: clocks.live, recorded: clocks.recorded },
      parts: wanting[index].map((comparison) =>
        partOf(comparison, request.k, byVersion, shams.get(servingVersion(comparison).version)?.get(index)),
      ),
    };
  });
  const ids = open.map(({ id }) => id);
  for (const user of users) {
    const own = held.filter((_, index) => asked[index].userId === user);
    await deps.shadowLog.panel.hold(user, own, samples.dropped(user), ids);
  }
  await deps.lanes.keepOnly(lanesOf(open));
  return asked.length;
}

function sampleLimits({ limits }: Pick<ShadowDeps, "limits">) {
  return { requestsPerUser: limits.requestsPerUser, periodMs: limits.panelDays * MS_PER_DAY };
}

type AnswersByIndex = ReadonlyMap<number, LaneAnswer>;

/** One version answers a request once, however many comparisons it takes part in: so any two of them can be compared. */
class LaneAnswers {
  readonly #lanes: Lanes;
  readonly #queries: readonly LaneQuery[];

  constructor(lanes: Lanes, queries: readonly LaneQuery[]) {
    this.#lanes = lanes;
    this.#queries = queries;
  }

  async of(lane: string, version: string, indices: readonly number[]): Promise<AnswersByIndex> {
    const queries = indices.map((index) => this.#queries[index]);
    if (queries.length === 0) return new Map();
    const answers = await this.#lanes.ask(lane, version, queries);
    return new Map(indices.map((index, place) => [index, answers[place]]));
  }
}

function servingVersion(comparison: Comparison): VersionFacts {
  return comparison[servingRole(comparison)];
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
  deps: Pick<ShadowDeps, "limits" | "hiddenItems">,
  requests: readonly ShadowRequest[],
  histories: ReadonlyMap<UserId, UserHistory>,
): Promise<LaneQuery[]> {
  const hidden = await deps.hiddenItems();
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

function requestOf({ requestId, source, historyThrough, k }: ShadowRequest) {
  return { requestId, source, historyThrough, k };
}
