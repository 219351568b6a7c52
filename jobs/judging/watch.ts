import { type Decision, recordDecision } from "../../models/gate/decision.ts";
import type { UserDifference } from "../../models/gate/evidence.ts";
import { explainWatch } from "../../models/gate/explain.ts";
import { type WatchEvidence, watchLive } from "../../models/gate/watch.ts";
import type { JudgePayload } from "../../services/queues/types.ts";
import type { Judgement } from "../../services/shadow/looks.ts";
import type { JudgedUser, Watch } from "../../services/shadow/types.ts";
import type { JobContext } from "../context.ts";
import { enterClosedUsers } from "./closed-users.ts";
import { settleWatches } from "./reverse-shadow.ts";

const ACTOR = "gate";

/**
 * Whatever is live and however it came there, the version before it keeps answering the same requests. A proven
 * loss rolls back; enough users without one end the watch.
 */
export async function judgeWatch(context: JobContext, payload: JudgePayload): Promise<readonly Judgement[]> {
  await settleWatches(context);
  const judgements: Judgement[] = [];
  for (const watch of await context.shadowLog.openWatches()) {
    if (watch.kind !== "watch") continue;
    const { users } = await enterClosedUsers(context, watch);
    judgements.push(await look(context, watch, users, payload));
  }
  return judgements;
}

async function look(
  context: JobContext,
  watch: Watch,
  users: readonly JudgedUser[],
  payload: JudgePayload,
): Promise<Judgement> {
  const evidence = watchEvidence(watch, users);
  const ruling = watchLive(evidence, context.policy);
  if (ruling.verdict !== "hold" || payload.record) {
    const decision = await context.decisions.append((previousSha256) =>
      recordDecision(
        { about: "watch", evidence },
        { policy: context.policy, actor: ACTOR, at: context.isoNow(), previousSha256 },
      ),
    );
    if (ruling.verdict === "reject") await leave(context, watch, decision);
    // Closed last: a crash before it only means that the same evidence is judged once more.
    if (ruling.verdict !== "hold") await context.shadowLog.close(watch.id);
  }
  return {
    about: "watch",
    challenger: evidence.live.version,
    baseline: evidence.previous.version,
    verdict: ruling.verdict,
    users: evidence.users.length,
    sentence: explainWatch(ruling),
  };
}

/** The record stands either way: where the policy forbids automatic rollbacks, an operator finds it there. */
async function leave(context: JobContext, watch: Watch, decision: Decision): Promise<void> {
  const { version } = watch.baseline;
  context.log.warn(
    { version, decision: decision.id, reason: decision.sentence },
    "live version proven worse",
  );
  if (!context.policy.rollback.automatic) return;
  await context.registry.rollback({
    expectedLive: version,
    reason: decision.sentence,
    actor: ACTOR,
    automatic: true,
    decisionId: decision.id,
  });
}

function watchEvidence(watch: Watch, users: readonly JudgedUser[]): WatchEvidence {
  return {
    live: watch.baseline,
    previous: watch.challenger,
    users: differencesOf(users),
    variance: watch.variance,
  };
}

/** old − young of each judged user. */
export function differencesOf(users: readonly JudgedUser[]): UserDifference[] {
  return users.map(({ userId: user, challenger, baseline }) => ({ user, difference: challenger - baseline }));
}
