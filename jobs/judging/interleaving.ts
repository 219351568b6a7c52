import { groupedBy } from "../../models/data/grouped-by.ts";
import { itemId, userId } from "../../models/data/ids.ts";
import { cohortOf } from "../../models/evaluation/cohorts.ts";
import type { Outcome } from "../../models/gate/decide.ts";
import type { InterleavedUser, ShadowEvidence } from "../../models/gate/evidence.ts";
import { interleavedCredits, type ServedDraft } from "../../models/gate/interleaved-credits.ts";
import { interleavedDifference } from "../../models/gate/interleaving.ts";
import type { GuardrailCode } from "../../models/gate/reasons.ts";
import { originOf, vouchFor } from "../../models/gate/vouching.ts";
import { clockOf } from "../../services/interactions/event-clocks.ts";
import type { CreditedUser, InterleavedList, OpenInterleaving } from "../../services/interleaving/types.ts";
import type { Attempt } from "../../services/shadow/types.ts";
import type { JobContext } from "../context.ts";
import { latestOf, windowOf } from "./judged-requests.ts";

/** Interleaving ends by itself when the judge has not renewed it for as long as this many looks take. */
const LOOKS_UNTIL_EXPIRY = 10;

/** Judged by votes, which only interleaving gives: they cannot be a condition for starting it. */
const JUDGED_BY_VOTES: ReadonlySet<GuardrailCode> = new Set(["COLD_USERS", "LIGHT_USERS", "HEAVY_USERS"]);

/** Enters the users whose windows have closed since the last look, in that order. */
export async function enterInterleavedUsers(context: JobContext, attempt: Attempt): Promise<void> {
  const { interleaving, events, policy } = context;
  const [lists, entered, clocks] = await Promise.all([
    interleaving.lists(attempt.id),
    interleaving.users(attempt.id),
    events.clocks(),
  ]);
  const known = new Set(entered.map((user) => user.userId));
  const waiting = groupedBy(
    lists.filter((list) => !known.has(list.userId)),
    (list) => list.userId,
  );
  const histories = await events.histories([...waiting.keys()].map(userId));
  const closed: CreditedUser[] = [];
  for (const [user, own] of waiting) {
    const all = histories.get(userId(user))?.entries ?? [];
    const entries = all.filter(({ weight }) => weight > 0);
    const window = { ...windowOf(policy), watermark: clockOf(clocks, latestOf(all)) };
    const credits = interleavedCredits(own.map(draftOf), entries, window);
    const origin = originOf(
      own[0]?.source,
      all.map(({ timestamp }) => timestamp),
    );
    if (credits !== null) closed.push({ userId: user, origin, ...credits });
  }
  closed.sort((a, b) => a.closedAt - b.closedAt || (a.userId < b.userId ? -1 : 1));
  await interleaving.enter(attempt.id, closed);
}

/**
 * The votes of Stage C so far, of those whom the service can vouch for, and what is known of where all voters came from;
 * no votes are null when this attempt was never interleaved.
 */
export async function interleavedVotes(
  { interleaving, policy }: JobContext,
  attempt: Attempt,
): Promise<Pick<ShadowEvidence, "interleaving" | "votesVouching">> {
  const [users, open] = await Promise.all([interleaving.users(attempt.id), interleaving.open()]);
  if (users.length === 0 && open?.attemptId !== attempt.id) return { interleaving: null };
  const voters = users.flatMap((user) => {
    const difference = interleavedDifference(user);
    return difference === null ? [] : [{ ...user, difference }];
  });
  const { counted, vouching } = vouchFor(voters, policy.evidence);
  const votes = counted.map(({ userId: user, difference, historyLength }): InterleavedUser => {
    return { user, difference, cohort: cohortOf(historyLength, policy.guardrails) };
  });
  return { interleaving: votes, votesVouching: vouching };
}

/** Requests of the shadow and of interleaved lists together: a failure counts wherever it happened. */
export async function withServingCounts(
  { interleaving }: JobContext,
  attempt: Attempt,
  shadow: NonNullable<ShadowEvidence["requests"]>,
): Promise<NonNullable<ShadowEvidence["requests"]>> {
  const served = await interleaving.counts(attempt.id);
  return {
    ...shadow,
    asked: shadow.asked + served.asked,
    failures: shadow.failures + served.failures,
    timeouts: shadow.timeouts + served.timeouts,
  };
}

/**
 * One challenger at a time is interleaved: one that only Stage C can decide and whose guardrails hold so far. When that
 * is no longer so, the challenger that has waited longest comes next.
 */
export async function settleInterleaving(
  context: JobContext,
  judged: readonly { readonly attempt: Attempt; readonly outcome: Outcome }[],
): Promise<void> {
  const { interleaving, policy, shadowLog } = context;
  const stillOpen = new Set((await shadowLog.openAttempts()).map(({ id }) => id));
  const waiting = judged
    .filter(({ attempt, outcome }) => stillOpen.has(attempt.id) && isForInterleaving(outcome))
    .map(({ attempt }) => attempt)
    .sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
  const present = await interleaving.open();
  const next = waiting.find(({ id }) => id === present?.attemptId) ?? waiting[0];
  const { share } = policy.interleaving;
  const open = next === undefined || share === 0 ? null : openingOf(next, context);
  await interleaving.setOpen(open, policy.schedule.judgeEverySeconds * 1000 * LOOKS_UNTIL_EXPIRY);
}

function isForInterleaving({ verdict, stage, guardrails }: Outcome): boolean {
  if (verdict !== "hold" || stage !== "interleaving") return false;
  return guardrails.every(({ code, outcome }) =>
    JUDGED_BY_VOTES.has(code) ? outcome !== "fail" : outcome === "pass",
  );
}

function openingOf({ id, challenger, baseline }: Attempt, { policy }: JobContext): OpenInterleaving {
  return {
    attemptId: id,
    challenger: challenger.version,
    baseline: baseline.version,
    share: policy.interleaving.share,
    budgetMs: policy.guardrails.latencyBudgetMs,
    consecutiveFailures: policy.interleaving.consecutiveFailures,
    listsPerUser: policy.shadow.requestsPerUser,
  };
}

function draftOf({ requestId, historyThrough, since, items, teams }: InterleavedList): ServedDraft {
  const drafted = items.map((item, position) => ({
    itemId: itemId(item),
    team: teams[position] === "c" ? ("challenger" as const) : ("baseline" as const),
  }));
  return { requestId, historyThrough, since, items: drafted };
}
