import { groupedBy } from "../../models/data/grouped-by.ts";
import type { HeldRequest, Part } from "../../services/shadow/panel.ts";
import { markOf } from "../../services/shadow/panel.ts";
import {
  type Comparison,
  isWatch,
  type LaneAnswer,
  type ShadowPair,
  servingRole,
} from "../../services/shadow/types.ts";
import type { JobContext } from "../context.ts";
import { countsOf } from "../shadow/parts.ts";
import { showsFor } from "./shown-lists.ts";

interface FormerComparison {
  readonly comparison: Comparison;
  readonly pairs: readonly ShadowPair[];
  /** Users whose windows had closed. */
  readonly entered: ReadonlySet<string>;
}

/**
 * Homes of earlier versions hold a pair of lists for every request there ever was. Those of users whose windows are
 * open go into the panel, a request once for all comparisons; the others are counted. Safe to run twice.
 */
export async function takeOverFormerPairs(context: JobContext, open: readonly Comparison[]): Promise<void> {
  const former: FormerComparison[] = [];
  for (const comparison of open) {
    const pairs = await context.shadowLog.former.pairs(comparison);
    if (pairs.length === 0) continue;
    const users = await context.shadowLog.users(comparison);
    former.push({ comparison, pairs, entered: new Set(users.map(({ userId }) => userId)) });
  }
  if (former.length === 0) return;
  const heldAt = await context.events.clocks();
  const waiting = former.flatMap(({ comparison, pairs, entered }) =>
    pairs.filter(({ userId }) => !entered.has(userId)).map((pair) => ({ comparison, pair })),
  );
  const ids = open.map(({ id }) => id);
  for (const [user, own] of groupedBy(waiting, ({ pair }) => pair.userId)) {
    const requests = [...groupedBy(own, ({ pair }) => pair.requestId)].map(([requestId, rows]) => {
      const [{ pair }] = rows;
      const { source, historyThrough, k } = pair;
      const lists = Object.assign({}, ...rows.map((row) => listsOf(row.comparison, row.pair)));
      const parts = rows.map((row) => partOfPair(row.comparison, row.pair));
      return { requestId, source, historyThrough, k, lists, heldAt, parts };
    });
    await context.shadowLog.panel.hold(user, requests, [], ids);
  }
  for (const one of former) await countEntered(context, one);
}

async function countEntered(
  context: JobContext,
  { comparison, pairs, entered }: FormerComparison,
): Promise<void> {
  const { id } = comparison;
  const own = pairs.filter(({ userId }) => entered.has(userId));
  const parts = own.map((pair) => partOfPair(comparison, pair));
  const counts: Record<string, number> = { released: parts.filter(({ answered }) => answered).length };
  for (const { add, memoryMb } of parts) {
    for (const [name, by] of Object.entries(add)) counts[name] = (counts[name] ?? 0) + by;
    if (memoryMb !== undefined) counts.memoryMb = Math.max(counts.memoryMb ?? 0, memoryMb);
  }
  const users = await context.shadowLog.users(comparison);
  const accounted = users.reduce(
    (sum, { joined, unanswered, early }) => sum + joined + unanswered + early,
    0,
  );
  counts.unheard = counts.released - accounted;
  const shows = await showsFor(context);
  const { listUsers } = context.policy.shadow;
  const byUser = groupedBy(own, ({ userId }) => userId);
  const shown = isWatch(comparison)
    ? []
    : users.slice(0, listUsers).flatMap(({ userId }) => {
        const requests = (byUser.get(userId) ?? []).map((pair) => heldOf(comparison, pair));
        return requests.length === 0 ? [] : [JSON.stringify(shows.shown(comparison, userId, requests))];
      });
  const latencies = parts.map(({ latency }) => latency).slice(-context.policy.shadow.latencySamples);
  await context.shadowLog.former.replace(id, { counts, latencies, shown });
}

function partOfPair(comparison: Comparison, pair: ShadowPair): Part {
  const answered = pair[servingRole(comparison)].fault === null;
  return { comparison: comparison.id, answered, ...countsOf(pair, pair.k, pair.shamIdentical) };
}

function heldOf(comparison: Comparison, pair: ShadowPair): HeldRequest {
  const { requestId, historyThrough, k } = pair;
  const lists = listsOf(comparison, pair);
  const marks = new Map([[markOf(comparison.id), true]]);
  return { requestId, historyThrough, k, lists, heldAt: { live: null, recorded: null }, marks };
}

function listsOf(comparison: Comparison, pair: ShadowPair): HeldRequest["lists"] {
  const listOf = ({ fault, items }: LaneAnswer): readonly string[] | null => (fault === null ? items : null);
  const upgrade = isWatch(comparison) ? undefined : comparison.lastUpgrade;
  return {
    [comparison.challenger.version]: listOf(pair.challenger),
    [comparison.baseline.version]: listOf(pair.baseline),
    ...(upgrade !== undefined &&
      pair.lastUpgrade !== undefined && { [upgrade.version]: listOf(pair.lastUpgrade) }),
  };
}
