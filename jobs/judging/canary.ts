import { type CanaryEvidence, judgeCanary, nextCanaryShare } from "../../models/gate/canary.ts";
import { type Decision, recordDecision } from "../../models/gate/decision.ts";
import { explainCanary } from "../../models/gate/explain.ts";
import { policySha256 } from "../../models/gate/policy.ts";
import type { Verdict } from "../../models/gate/reasons.ts";
import { PhasewiseError } from "../../services/errors.ts";
import type { JudgePayload } from "../../services/queues/types.ts";
import type { CanaryPointer } from "../../services/registry/types.ts";
import type { Judgement } from "../../services/shadow/looks.ts";
import type { JudgedUser, Watch } from "../../services/shadow/types.ts";
import type { JobContext } from "../context.ts";
import { enterClosedUsers } from "./closed-users.ts";
import { settleWatches } from "./reverse-shadow.ts";
import { differencesOf } from "./watch.ts";

const ACTOR = "gate";

/**
 * Looks at the canary's present step. A proven loss ends it; enough users without one lead to the next share of
 * the policy, and from the last to all users by an ordinary promotion. Where promotions are not automatic, and
 * before the promotion of a canary that was forced, the record is for an operator to act on.
 */
export async function judgeRunningCanary(
  context: JobContext,
  payload: JudgePayload,
): Promise<readonly Judgement[]> {
  await settleWatches(context);
  const canary = (await context.registry.live())?.canary ?? null;
  const step = (await context.shadowLog.openWatches()).find(
    ({ kind, baseline }) => kind === "canary" && baseline.version === canary?.version,
  );
  if (canary === null || step === undefined) return [];
  const { users } = await enterClosedUsers(context, step);
  const evidence = canaryEvidence(step, users, canary);
  const ruling = judgeCanary(evidence, context.policy);
  if (ruling.verdict !== "hold" || payload.record) {
    const decision =
      (await recorded(context, evidence, ruling.verdict)) ??
      (await context.decisions.append((previousSha256) =>
        recordDecision(
          { about: "canary", evidence },
          { policy: context.policy, actor: ACTOR, at: context.isoNow(), previousSha256 },
        ),
      ));
    if (ruling.verdict === "reject") await end(context, evidence, decision);
    if (ruling.verdict === "pass") await widen(context, evidence, canary, decision);
  }
  return [
    {
      about: "canary",
      challenger: evidence.canary.version,
      baseline: evidence.live.version,
      verdict: ruling.verdict,
      users: evidence.users.length,
      sentence: explainCanary(ruling, evidence),
    },
  ];
}

function canaryEvidence(step: Watch, users: readonly JudgedUser[], { share }: CanaryPointer): CanaryEvidence {
  return {
    canary: step.baseline,
    live: step.challenger,
    share,
    epoch: step.epoch,
    users: differencesOf(users),
    variance: step.variance,
  };
}

/** The record of this verdict on this step, when one was written and then not acted on, by a crash or by policy. */
async function recorded(
  { decisions, policy }: JobContext,
  { canary, epoch }: CanaryEvidence,
  verdict: Verdict,
): Promise<Decision | undefined> {
  if (verdict === "hold") return undefined;
  return (await decisions.list({ challenger: canary.version })).find(
    ({ hearing, ruling, policySha256: under }) =>
      hearing.about === "canary" &&
      hearing.evidence.epoch === epoch &&
      ruling.verdict === verdict &&
      under === policySha256(policy),
  );
}

async function end(context: JobContext, { canary }: CanaryEvidence, decision: Decision): Promise<void> {
  context.log.warn({ version: canary.version, decision: decision.id }, decision.sentence);
  if (!context.policy.rollback.automatic) return;
  await context.registry.rollback({
    expectedLive: canary.version,
    reason: decision.sentence,
    actor: ACTOR,
    automatic: true,
    decisionId: decision.id,
  });
}

async function widen(
  context: JobContext,
  { canary: { version }, live, epoch, share }: CanaryEvidence,
  { forced }: CanaryPointer,
  decision: Decision,
): Promise<void> {
  const next = nextCanaryShare(share, context.policy);
  if (!context.policy.promotion.automatic || (next === null && forced)) return;
  const request = {
    version,
    expectedLive: live.version,
    expectedEpoch: epoch,
    reason: decision.sentence,
    actor: ACTOR,
    decisionId: decision.id,
  };
  try {
    if (next === null) await context.registry.promote(request);
    else await context.registry.canary({ ...request, share: next });
  } catch (error) {
    // An operator was faster, or promotions are frozen: the next look starts from what is there then.
    if (!(error instanceof PhasewiseError && error.statusCode === 409)) throw error;
    context.log.warn({ version, error: error.message }, "judge: canary not widened");
  }
}
