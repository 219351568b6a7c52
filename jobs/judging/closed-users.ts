import { MS_PER_DAY } from "../../models/data/day.ts";
import { groupedBy } from "../../models/data/grouped-by.ts";
import { type ItemId, itemId, userId } from "../../models/data/ids.ts";
import type { Catalogue } from "../../models/data/interaction-log.ts";
import { type Attribution, attribute } from "../../models/evaluation/attribution.ts";
import type { WindowOptions } from "../../models/evaluation/attribution-window.ts";
import { diversity } from "../../models/evaluation/diversity.ts";
import { mean } from "../../models/evaluation/moments.ts";
import type { Policy } from "../../models/gate/policy.ts";
import { samplePlace } from "../../models/gate/request-sample.ts";
import { type Origin, type Vouching, vouchFor } from "../../models/gate/vouching.ts";
import { clockOf } from "../../services/interactions/event-clocks.ts";
import type { UserHistory } from "../../services/interactions/types.ts";
import {
  type Comparison,
  type JudgedUser,
  type ShadowPair,
  servingRole,
} from "../../services/shadow/types.ts";
import type { JobContext } from "../context.ts";

/** All that a comparison has recorded, read once a look, so that all counts are of the same requests. */
export interface RecordedShadow {
  readonly pairs: readonly ShadowPair[];
  /** Those whose windows have closed, in the order in which they entered. */
  readonly entered: readonly JudgedUser[];
  /** Those of them who count, and what is known of where they came from. */
  readonly users: readonly JudgedUser[];
  readonly vouching: Vouching;
  /** Early requests of each user who has not entered. */
  readonly early: ReadonlyMap<string, number>;
}

/** Enters the users whose attribution windows have closed since the last look, in that order; returns all records. */
export async function enterClosedUsers(context: JobContext, comparison: Comparison): Promise<RecordedShadow> {
  const [pairs, entered, clocks] = await Promise.all([
    context.shadowLog.pairs(comparison),
    context.shadowLog.users(comparison),
    context.events.clocks(),
  ]);
  const known = new Set(entered.map((user) => user.userId));
  const serving = servingRole(comparison);
  const waiting = groupedBy(
    pairs.filter((pair) => !known.has(pair.userId) && pair[serving].fault === null),
    (pair) => pair.userId,
  );
  const histories = await context.events.histories([...waiting.keys()].map(userId));
  const catalogue = await context.catalogue();
  const closed: JudgedUser[] = [];
  const early = new Map<string, number>();
  for (const [user, own] of waiting) {
    const history = histories.get(userId(user));
    const watermark = clockOf(clocks, latestOf(history?.entries ?? []));
    const clock = { watermark, openedAt: comparison.openedAt };
    const joined = attributionOf(context, own, history, clock);
    if (joined.state === "closed") {
      const { state: _, chosen, ...figures } = joined;
      const lastUpgrade = lastUpgradeFigure(context, own, history, clock);
      closed.push({
        userId: user,
        origin: originOf(own, history),
        ...figures,
        lastUpgrade,
        chosenDiversity: diversityOf(chosen, catalogue),
      });
    } else if (joined.early > 0) early.set(user, joined.early);
  }
  closed.sort((a, b) => a.closedAt - b.closedAt || (a.userId < b.userId ? -1 : 1));
  await context.shadowLog.enter(comparison, closed);
  // Read back: another judge may have entered users meanwhile, and the order is the log's.
  const all = closed.length === 0 ? entered : await context.shadowLog.users(comparison);
  const { counted, vouching } = vouchFor(all, context.policy.evidence);
  return { pairs, entered: all, users: counted, vouching, early };
}

function originOf([first]: readonly ShadowPair[], history: UserHistory | undefined): Origin | undefined {
  const times = (history?.entries ?? []).map(({ timestamp }) => timestamp);
  return times.length === 0 ? undefined : { source: first?.source, firstSeen: Math.min(...times) };
}

/** One thing chosen is neither varied nor alike. */
function diversityOf(chosen: readonly (readonly ItemId[])[], catalogue: Catalogue): number | undefined {
  const several = chosen.filter(({ length }) => length > 1);
  return several.length === 0 ? undefined : mean(several.map((items) => diversity(items, catalogue)));
}

/** When the user did something last, epoch milliseconds. */
export function latestOf(entries: readonly { readonly timestamp: number }[]): number {
  return entries.reduce((latest, { timestamp }) => Math.max(latest, timestamp), 0);
}

/** The attribution window: how long after a list what the user does counts for it. */
export function windowOf({ shadow }: Policy): Omit<WindowOptions, "watermark"> {
  return { windowMs: shadow.attributionDays * MS_PER_DAY, windowEvents: shadow.attributionEvents };
}

interface Clock {
  readonly watermark: number;
  readonly openedAt: number;
}

function attributionOf(
  { policy }: JobContext,
  pairs: readonly ShadowPair[],
  history: UserHistory | undefined,
  clock: Clock,
): Attribution {
  const lists = pairs.map(({ requestId, historyThrough, k, challenger, baseline }) => ({
    historyThrough,
    k,
    place: samplePlace(requestId),
    challenger: challenger.items.map(itemId),
    baseline: baseline.items.map(itemId),
  }));
  const chosen = (history?.entries ?? []).filter(({ weight }) => weight > 0);
  const events = chosen.map((entry) => ({ ...entry, listDriven: entry.requestId !== null }));
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
  context: JobContext,
  pairs: readonly ShadowPair[],
  history: UserHistory | undefined,
  clock: Clock,
): number | undefined {
  const answered = pairs.flatMap(({ lastUpgrade, ...pair }) =>
    lastUpgrade === undefined || lastUpgrade.fault !== null ? [] : [{ ...pair, baseline: lastUpgrade }],
  );
  // With a request missing, the two figures would be means over different requests.
  if (answered.length < pairs.length) return undefined;
  const joined = attributionOf(context, answered, history, clock);
  return joined.state === "closed" ? joined.baseline : undefined;
}
