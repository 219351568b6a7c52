import { cohortOf } from "../../models/evaluation/cohorts.ts";
import { isCurrentAhead, planOf } from "../../models/gate/decide.ts";
import type { UserComparison } from "../../models/gate/evidence.ts";
import { isLike } from "../../models/gate/standing.ts";
import { isProvenLift } from "../../models/gate/test-result.ts";
import { suspicionsOfLift } from "../../models/gate/vouching.ts";
import type { Attempt, JudgedUser } from "../../services/shadow/types.ts";
import type { JobContext } from "../context.ts";
import { enterClosedUsers } from "./closed-users.ts";
import { GATE } from "./record.ts";
import { openComparison, screenEvidence } from "./screen.ts";

/**
 * Every open challenger is compared with every other that is no more complex, from the moment both are there: whichever
 * climbs, the others go on against it with the evidence they have. α_k belongs to the k-th attempt at a baseline,
 * whenever that baseline becomes live.
 */
export async function openPairs(context: JobContext, live: string): Promise<void> {
  const open = await context.shadowLog.openAttempts();
  const challengers = open
    .filter(({ baseline }) => baseline.version === live)
    .map(({ challenger }) => challenger);
  for (const challenger of challengers) {
    for (const baseline of challengers) {
      const isRunning = open.some(
        (attempt) =>
          attempt.challenger.version === challenger.version && attempt.baseline.version === baseline.version,
      );
      // Two of one recipe are a line and its refresh, not two rivals.
      if (challenger.recipe === baseline.recipe || challenger.phase < baseline.phase || isRunning) continue;
      const evidence = await screenEvidence(context, challenger.version, baseline.version);
      if (evidence === null || evidence.unjudged === true) continue;
      const k = await context.registry.countPair(challenger.version, baseline.version, GATE);
      await openComparison(context, evidence, k);
    }
  }
}

/** Lets users enter the pairs whose baseline is not live, and tells which of them are proven. */
export async function judgePairs(
  context: JobContext,
  pairs: readonly Attempt[],
): Promise<(challenger: string, baseline: string) => boolean> {
  const proven = new Set<string>();
  for (const pair of pairs) {
    const name = `${pair.challenger.version}~${pair.baseline.version}`;
    const { length: entered } = await context.shadowLog.users(pair);
    const known = context.provenPairs.get(pair.id);
    if (known !== undefined && isLike(known.users, entered) && known.name === name) {
      if (known.proven) proven.add(name);
      continue;
    }
    context.provenPairs.set(pair.id, { users: entered, name, proven: false });
    const { users, vouching } = await enterClosedUsers(context, pair);
    const { kind, challenger, baseline, attempt, plan } = pair;
    const planned = planOf({ kind, challenger, baseline, attempt, plan }, context.policy);
    if (planned === null || users.length < context.policy.shadow.minimumUsers) continue;
    const rows = comparisonsOf(users, context, pair);
    if (suspicionsOfLift({ vouching, users: rows, plan }, context.policy).length > 0) continue;
    if (!isProvenLift(rows, planned) || !isCurrentAhead(rows)) continue;
    context.provenPairs.set(pair.id, { users: entered, name, proven: true });
    proven.add(name);
  }
  return (challenger, baseline) => proven.has(`${challenger}~${baseline}`);
}

/** One row a judged user, as every test takes them. */
export function comparisonsOf(
  users: readonly JudgedUser[],
  { policy }: Pick<JobContext, "policy">,
  attempt: Pick<Attempt, "challenger" | "former">,
): UserComparison[] {
  return users.map((row) => ({
    user: row.userId,
    difference: row.challenger - row.baseline,
    baseline: row.baseline,
    cohort: cohortOf(row.historyLength, policy.guardrails),
    ...(!isOfCurrent(row, attempt) && { former: true as const }),
  }));
}

/** Whether the present version of the challenger's line gave the user's lists. */
export function isOfCurrent(
  { by }: Pick<JudgedUser, "by">,
  { challenger, former }: Pick<Attempt, "challenger" | "former">,
): boolean {
  return former === undefined || by === challenger.version;
}
