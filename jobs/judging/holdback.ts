import { MS_PER_DAY } from "../../models/data/day.ts";
import { itemId, userId } from "../../models/data/ids.ts";
import { attribute } from "../../models/evaluation/attribution.ts";
import { planFigure } from "../../models/gate/capped-figure.ts";
import { explainHoldback } from "../../models/gate/explain-holdback.ts";
import { type HeldUser, holdbackStanding } from "../../models/gate/holdback.ts";
import { samplePlace } from "../../models/gate/request-sample.ts";
import type { HeldList, OpenRound } from "../../services/holdback/types.ts";
import { clockOf, openingTime } from "../../services/interactions/event-clocks.ts";
import type { JobContext } from "../context.ts";
import { latestOf, windowOf } from "./judged-requests.ts";

/**
 * One look at the users on the floor and their twins: those whose windows have closed are counted, and what all promotions
 * together bring is said. Harm is told once, aloud: no promotion is to blame for it alone, so nothing is rolled back.
 */
export async function lookAtHoldback(context: JobContext): Promise<void> {
  const { holdback, policy, log } = context;
  const { share } = policy.holdback;
  if (share === 0) return;
  const round = await roundNow(context);
  if (round === null) return;
  await enterClosed(context, round);
  const standing = holdbackStanding({ ...round, users: await holdback.users() }, policy);
  const sentence = explainHoldback(standing);
  const before = await holdback.status();
  if (standing.found === "harm" && !(before?.found === "harm" && before.round === standing.round)) {
    log.error({ round: standing.round, pairs: standing.pairs }, `holdback: ${sentence}`);
  }
  await holdback.put({ ...standing, from: new Date(round.from).toISOString(), share, sentence });
}

/** The round that runs by the time of the events; the next one where it is over. Null before the first event. */
async function roundNow(context: JobContext): Promise<OpenRound | null> {
  const { holdback, events, policy } = context;
  const now = openingTime(await events.clocks());
  if (now === 0) return null;
  const open = await holdback.round();
  const lengthMs = policy.holdback.roundDays * MS_PER_DAY;
  // A clock that goes back is that of another replay.
  if (open !== null && now < open.from + lengthMs && now >= open.from - lengthMs) return open;
  const next = { round: (open?.round ?? 0) + 1, from: now, figure: await figureNow(context) };
  await holdback.begin(next);
  return next;
}

/** τ from what users of the live version had on the holdout; two users who are no pair vary by both their variances. */
async function figureNow({ registry, artifacts, evaluations }: JobContext): Promise<OpenRound["figure"]> {
  const live = await registry.live();
  if (live === null) return planFigure([]);
  const { manifest } = await artifacts.manifest(live.version);
  const known = await evaluations.get({ ...manifest, dataSha256: manifest.data.sha256 });
  const figures = (known?.perUser ?? []).map(({ ndcg }) => ndcg);
  const { test, cap, variance } = planFigure(
    figures.map((figure, place) => ({
      challenger: figure,
      baseline: figures[(place + 1) % figures.length] ?? figure,
    })),
  );
  return { test, cap, variance };
}

async function enterClosed(context: JobContext, { from }: OpenRound): Promise<void> {
  const { holdback, events, policy } = context;
  const [waiting, clocks] = await Promise.all([holdback.waiting(), events.clocks()]);
  if (waiting.size === 0) return;
  const histories = await events.histories([...waiting.keys()].map(userId));
  const closed: (HeldUser & { readonly userId: string; readonly closedAt: number })[] = [];
  for (const [user, lists] of waiting) {
    const entries = histories.get(userId(user))?.entries ?? [];
    const joined = attribute(lists.map(requestOf), chosenOf(entries), {
      ...windowOf(policy),
      watermark: clockOf(clocks, latestOf(entries)),
      openedAt: from,
      relevantEvents: policy.shadow.relevantEvents,
      periodMs: policy.shadow.panelDays * MS_PER_DAY,
      maxRequests: policy.shadow.requestsPerUser,
    });
    if (joined.state !== "closed") continue;
    const { closedAt, baseline: figure } = joined;
    closed.push({ userId: user, arm: lists[0].arm, figure, closedAt });
  }
  closed.sort((a, b) => a.closedAt - b.closedAt || (a.userId < b.userId ? -1 : 1));
  await holdback.enter(closed);
}

/** One list was served: it stands in both places. */
function requestOf({ requestId, historyThrough, k, items }: HeldList) {
  const served = items.map(itemId);
  return { historyThrough, k, place: samplePlace(requestId), challenger: served, baseline: served };
}

function chosenOf(
  entries: readonly {
    readonly sequence: number;
    readonly itemId: ReturnType<typeof itemId>;
    readonly timestamp: number;
    readonly weight: number;
  }[],
) {
  return entries.filter(({ weight }) => weight > 0).map((entry) => ({ ...entry, listDriven: false }));
}
