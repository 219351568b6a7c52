import { MS_PER_DAY } from "../../models/data/day.ts";
import { type ItemId, itemId } from "../../models/data/ids.ts";
import { type Attribution, attribute, nextAfter } from "../../models/evaluation/attribution.ts";
import type { WindowOptions } from "../../models/evaluation/attribution-window.ts";
import type { Policy } from "../../models/gate/policy.ts";
import { samplePlace } from "../../models/gate/request-sample.ts";
import { originOf } from "../../models/gate/vouching.ts";
import { clockOf, type EventClocks } from "../../services/interactions/event-clocks.ts";
import type { UserHistory } from "../../services/interactions/types.ts";
import { type HeldRequest, markOf } from "../../services/shadow/panel.ts";
import { type Comparison, isWatch, type JudgedUser } from "../../services/shadow/types.ts";

/** What became of a user's requests in one comparison. */
export type JudgedRequests =
  | {
      readonly state: "closed";
      readonly row: Omit<JudgedUser, "chosenDiversity">;
      /** What the user chose next, of each request. */
      readonly chosen: readonly (readonly ItemId[])[];
    }
  /** Followed by nothing that could be judged. */
  | { readonly state: "unheard" }
  /** `early`: answered by something older than the comparison, which will never count. */
  | { readonly state: "open"; readonly early: readonly HeldRequest[]; readonly until: number };

export interface Circumstances {
  readonly policy: Policy;
  readonly clocks: EventClocks;
}

/** Joins a user's requests, as one comparison holds them, with what the user did next. */
export function judgeRequests(
  { policy, clocks }: Circumstances,
  comparison: Comparison,
  userId: string,
  requests: readonly HeldRequest[],
  history: UserHistory | undefined,
): JudgedRequests {
  const entries = history?.entries ?? [];
  const mark = markOf(comparison.id);
  const answered = requests.filter(({ marks }) => marks.get(mark) === true);
  const by = answeredBy(comparison, answered);
  const clock = { watermark: clockOf(clocks, latestOf(entries)), openedAt: openingOf(comparison, by) };
  const join = (own: readonly HeldRequest[], baseline: string) =>
    attributionOf(policy, comparison, own, history, clock, baseline);
  const joined = join(answered, comparison.baseline.version);
  if (joined.state === "nothing-relevant") return { state: "unheard" };
  if (joined.state === "open") {
    const isEarly = (request: HeldRequest): boolean =>
      (nextAfter(request, chosenIn(entries))?.timestamp ?? clock.openedAt) < clock.openedAt;
    const early = answered.filter(isEarly);
    const spanMs = (policy.shadow.panelDays + policy.shadow.attributionDays) * MS_PER_DAY;
    const isLongAgo = ({ heldAt }: HeldRequest): boolean =>
      hasPassed(heldAt.live, clocks.live, spanMs) || hasPassed(heldAt.recorded, clocks.recorded, spanMs);
    const { until } = joined;
    if (until === null && requests.every((request) => !early.includes(request) && isLongAgo(request)))
      return { state: "unheard" };
    return { state: "open", early, until: until ?? clock.watermark + policy.shadow.panelDays * MS_PER_DAY };
  }
  const { state, chosen, ...figures } = joined;
  const origin = originOf(
    answered[0]?.source,
    entries.map(({ timestamp }) => timestamp),
  );
  return {
    state,
    row: { userId, by, origin, ...figures, lastUpgrade: lastUpgradeFigure(comparison, answered, join) },
    chosen,
  };
}

/** Of a line's versions the one that answered a request: the one that was current then. */
function versionIn(comparison: Comparison, lists: HeldRequest["lists"]): string {
  const former = isWatch(comparison) ? [] : (comparison.former ?? []);
  const { version } = comparison.challenger;
  return [version, ...former.toReversed()].find((one) => lists[one] !== undefined) ?? version;
}

/** Whose lists the user is judged by: the present version's, or an earlier one's if it gave any of them. */
function answeredBy(comparison: Comparison, requests: readonly HeldRequest[]): string {
  const versions = requests.map(({ lists }) => versionIn(comparison, lists));
  return (
    versions.find((version) => version !== comparison.challenger.version) ?? comparison.challenger.version
  );
}

/** What is older than this proves nothing. */
function openingOf(comparison: Comparison, by: string): number {
  const current = isWatch(comparison) ? undefined : comparison.current;
  return by === comparison.challenger.version ? (current?.since ?? comparison.openedAt) : comparison.openedAt;
}

function hasPassed(from: number | null, to: number | null, spanMs: number): boolean {
  return from !== null && to !== null && to - from >= spanMs;
}

/** When the user did something last, epoch milliseconds. */
export function latestOf(entries: readonly { readonly timestamp: number }[]): number {
  return entries.reduce((latest, { timestamp }) => Math.max(latest, timestamp), 0);
}

/** The attribution window: how long after a list what the user does counts for it. */
export function windowOf({ shadow }: Policy): Omit<WindowOptions, "watermark"> {
  return { windowMs: shadow.attributionDays * MS_PER_DAY, windowEvents: shadow.attributionEvents };
}

function chosenIn(entries: UserHistory["entries"]): UserHistory["entries"] {
  return entries.filter(({ weight }) => weight > 0);
}

interface Clock {
  readonly watermark: number;
  readonly openedAt: number;
}

function attributionOf(
  policy: Policy,
  comparison: Comparison,
  requests: readonly HeldRequest[],
  history: UserHistory | undefined,
  clock: Clock,
  baseline: string,
): Attribution {
  const lists = requests.map(({ requestId, historyThrough, k, lists }) => ({
    historyThrough,
    k,
    place: samplePlace(requestId),
    challenger: (lists[versionIn(comparison, lists)] ?? []).map(itemId),
    baseline: (lists[baseline] ?? []).map(itemId),
  }));
  const events = chosenIn(history?.entries ?? []).map((entry) => ({
    ...entry,
    listDriven: entry.requestId !== null,
  }));
  return attribute(lists, events, {
    ...windowOf(policy),
    ...clock,
    relevantEvents: policy.shadow.relevantEvents,
    periodMs: policy.shadow.panelDays * MS_PER_DAY,
    maxRequests: policy.shadow.requestsPerUser,
  });
}

/** nDCG of the last upgrade on the requests that it answered; undefined when it was not asked or had nothing joined. */
function lastUpgradeFigure(
  comparison: Comparison,
  requests: readonly HeldRequest[],
  join: (own: readonly HeldRequest[], baseline: string) => Attribution,
): number | undefined {
  const upgrade = isWatch(comparison) ? undefined : comparison.lastUpgrade?.version;
  // With a request missing, the two figures would be means over different requests.
  if (upgrade === undefined || requests.some(({ lists }) => !lists[upgrade])) return undefined;
  const joined = join(requests, upgrade);
  return joined.state === "closed" ? joined.baseline : undefined;
}
