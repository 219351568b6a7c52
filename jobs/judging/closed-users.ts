import { MS_PER_DAY } from "../../models/data/day.ts";
import { type ItemId, userId } from "../../models/data/ids.ts";
import { type Vouching, vouchFor } from "../../models/gate/vouching.ts";
import { type EventClocks, isLiveAt } from "../../services/interactions/event-clocks.ts";
import type { UserHistory } from "../../services/interactions/types.ts";
import { type HeldRequest, markOf } from "../../services/shadow/panel.ts";
import { rowOf } from "../../services/shadow/redis-shadow-log.ts";
import { type Comparison, isWatch, type JudgedUser } from "../../services/shadow/types.ts";
import type { JobContext } from "../context.ts";
import { takeOverFormerPairs } from "./former-pairs.ts";
import { judgeRequests, latestOf } from "./judged-requests.ts";
import { showsFor } from "./shown-lists.ts";

/** What a comparison knows of the users whose windows have closed. */
export interface RecordedShadow {
  /** In the order in which they entered. */
  readonly entered: readonly JudgedUser[];
  /** Those of them who count, and what is known of where they came from. */
  readonly users: readonly JudgedUser[];
  readonly vouching: Vouching;
}

/** Users looked at in one look at most; the others come first in the next. */
const MOST_DUE = 2_000;

/** Enters the users whose windows have closed since the last look, in that order; returns all of one comparison. */
export async function enterClosedUsers(context: JobContext, comparison: Comparison): Promise<RecordedShadow> {
  await settleDueUsers(context);
  const entered = await context.shadowLog.users(comparison);
  const { counted, vouching } = vouchFor(entered, context.policy.evidence);
  return { entered, users: counted, vouching };
}

interface ClosedUser {
  readonly comparison: Comparison;
  readonly row: Omit<JudgedUser, "chosenDiversity">;
  /** What the user chose next, of each request. */
  readonly chosen: readonly (readonly ItemId[])[];
  readonly requests: readonly HeldRequest[];
}

/**
 * Looks at the users who are due, in all open comparisons at once. Whose windows have closed enters; whose have not is
 * looked at again when they may have. A look so costs what came and closed since the last one.
 */
export async function settleDueUsers(context: JobContext): Promise<void> {
  const { shadowLog, events } = context;
  const open = [...(await shadowLog.openAttempts()), ...(await shadowLog.openWatches())];
  await takeOverFormerPairs(context, open);
  const clocks = await context.closing.read({
    clocks: events.clocks,
    oldestBatch: context.backlog.oldest,
    now: context.now,
  });
  const due = await shadowLog.panel.due(clocks, MOST_DUE);
  if (due.length === 0) return;
  const [held, histories, ...entered] = await Promise.all([
    shadowLog.panel.held(due),
    events.histories(due.map(userId)),
    ...open.map(({ id }) => shadowLog.hasEntered(id, due)),
  ]);
  const marked = open.map((comparison) => ({ comparison, mark: markOf(comparison.id) }));
  const running = new Set(marked.map(({ mark }) => mark));
  const closed: ClosedUser[] = [];
  // Sent in this order without waiting for each other: thousands may be due at once.
  const sent: Promise<unknown>[] = [];
  for (const [place, user] of due.entries()) {
    const history = histories.get(userId(user));
    sent.push(releaseEnded(context, user, held[place], running));
    const until: number[] = [];
    for (const [index, { comparison, mark }] of marked.entries()) {
      const requests = held[place].filter(({ marks }) => marks.has(mark));
      if (requests.length === 0) continue;
      const judged = entered[index][place]
        ? ({ state: "unheard" } as const)
        : judgeRequests({ policy: context.policy, clocks }, comparison, user, requests, history);
      if (judged.state === "closed") closed.push({ comparison, ...judged, requests });
      else if (judged.state === "unheard") sent.push(release(context, user, comparison, requests, "unheard"));
      else {
        sent.push(release(context, user, comparison, judged.early, "early"));
        until.push(judged.until);
      }
    }
    if (until.length > 0) sent.push(lookAgain(context, user, Math.min(...until), history, clocks));
  }
  await Promise.all(sent);
  await enter(context, closed);
}

/** In the order in which their windows closed. */
async function enter(context: JobContext, closed: ClosedUser[]): Promise<void> {
  if (closed.length === 0) return;
  const shows = await showsFor(context);
  const { listUsers: mostShown } = context.policy.shadow;
  closed.sort((a, b) => a.row.closedAt - b.row.closedAt || (a.row.userId < b.row.userId ? -1 : 1));
  const shownTo = new Map<string, number>();
  for (const { id } of new Set(closed.map(({ comparison }) => comparison))) {
    shownTo.set(id, (await context.shadowLog.shown({ id, kind: "UPGRADE" })).length);
  }
  const entering: Promise<void>[] = [];
  for (const { comparison, row, chosen, requests } of closed) {
    const isOfCurrent = row.by === comparison.challenger.version;
    const isShown = !isWatch(comparison) && isOfCurrent && (shownTo.get(comparison.id) ?? 0) < mostShown;
    if (isShown) shownTo.set(comparison.id, (shownTo.get(comparison.id) ?? 0) + 1);
    const shown = isShown ? JSON.stringify(shows.shown(comparison, row.userId, requests)) : null;
    const whole = { ...row, chosenDiversity: shows.diversityOf(chosen) };
    const ids = requests.map(({ requestId }) => requestId);
    const outcome = { kind: "entered", row: rowOf(comparison, whole), shown, mostShown } as const;
    entering.push(context.shadowLog.panel.release(row.userId, comparison.id, ids, outcome));
  }
  await Promise.all(entering);
}

async function release(
  { shadowLog }: JobContext,
  user: string,
  { id }: Comparison,
  requests: readonly HeldRequest[],
  kind: "early" | "unheard",
): Promise<void> {
  if (requests.length === 0) return;
  await shadowLog.panel.release(
    user,
    id,
    requests.map(({ requestId }) => requestId),
    { kind },
  );
}

/** Comparisons that are over let go of what they held. */
async function releaseEnded(
  { shadowLog }: JobContext,
  user: string,
  held: readonly HeldRequest[],
  running: ReadonlySet<string>,
): Promise<void> {
  const ended = new Set(held.flatMap(({ marks }) => [...marks.keys()].filter((mark) => !running.has(mark))));
  for (const mark of ended) {
    const ids = held.filter(({ marks }) => marks.has(mark)).map(({ requestId }) => requestId);
    await shadowLog.panel.release(user, { mark }, ids, { kind: "ended" });
  }
}

/** A user's clock may change with what the user does next, so that the other one is looked at too, a period later. */
async function lookAgain(
  { shadowLog, policy }: JobContext,
  user: string,
  until: number,
  history: UserHistory | undefined,
  clocks: EventClocks,
): Promise<void> {
  const later = (clock: number | null): number => (clock ?? 0) + policy.shadow.panelDays * MS_PER_DAY;
  const at = isLiveAt(clocks, latestOf(history?.entries ?? []))
    ? { live: until, recorded: later(clocks.recorded) }
    : { live: later(clocks.live), recorded: until };
  await shadowLog.panel.lookAgain(user, at);
}
