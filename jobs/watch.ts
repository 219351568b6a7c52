import { type Decision, recordDecision } from "../models/gate/decision.ts";
import type { VersionFacts } from "../models/gate/evidence.ts";
import { explainWatch } from "../models/gate/explain.ts";
import { policySha256 } from "../models/gate/policy.ts";
import { type WatchEvidence, watchLive } from "../models/gate/watch.ts";
import type { JudgePayload } from "../services/queues/types.ts";
import type { LivePointer } from "../services/registry/types.ts";
import type { JudgedUser, Watch } from "../services/shadow/types.ts";
import { enterClosedUsers } from "./closed-users.ts";
import type { JobContext } from "./context.ts";
import type { Judgement } from "./judgement.ts";
import { plannedVariance, screenEvidence, WIDEST_VARIANCE } from "./screen.ts";

const ACTOR = "gate";

/**
 * Reverse shadow: whatever is live and however it came there, the version before it keeps answering the same
 * requests. What follows is derived from the live pointer alone, so a promotion that was forced, or made while
 * no worker ran, is watched all the same. A proven loss rolls back; enough users without one end the watch.
 */
export async function judgeWatch(context: JobContext, payload: JudgePayload): Promise<readonly Judgement[]> {
  await settleWatches(context);
  const judgements: Judgement[] = [];
  for (const watch of await context.shadowLog.openWatches()) {
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
    users: users.map(({ userId: user, challenger, baseline }) => ({
      user,
      difference: challenger - baseline,
    })),
    variance: watch.variance,
  };
}

/** Opens the watch that the live pointer asks for, once an epoch, and closes those that it has moved away from. */
async function settleWatches(context: JobContext): Promise<void> {
  const live = await context.registry.live();
  const policy = policySha256(context.policy);
  const open = await context.shadowLog.openWatches();
  const left = open.filter((watch) => watch.epoch !== live?.epoch || watch.policySha256 !== policy);
  if (live !== null && live.previous !== null && live.version !== live.floor) {
    const first = `${live.previous}~${live.version}~watch-${live.epoch}`;
    const policyChanged = left.some(({ epoch }) => epoch === live.epoch);
    if (policyChanged) await openWatch(context, live, live.previous, `${first}-${policy.slice(0, 8)}`);
    else if (!(await context.shadowLog.wasOpened(first)))
      await openWatch(context, live, live.previous, first);
  }
  for (const { id } of left) await context.shadowLog.close(id);
}

async function openWatch(
  context: JobContext,
  live: LivePointer,
  previous: string,
  id: string,
): Promise<void> {
  const factsOf = async (version: string): Promise<VersionFacts> => {
    const { phase, recipe } = (await context.artifacts.manifest(version)).manifest;
    return { version, phase, recipe };
  };
  const screened = await screenEvidence(context, live.version, previous);
  await context.shadowLog.open({
    id,
    kind: "watch",
    epoch: live.epoch,
    challenger: await factsOf(previous),
    baseline: await factsOf(live.version),
    variance: screened === null ? WIDEST_VARIANCE : plannedVariance(screened.users),
    policySha256: policySha256(context.policy),
    openedAt: await context.events.watermark(),
    startedAt: context.isoNow(),
  });
  context.log.info({ live: live.version, previous }, "watching the promoted version");
}
