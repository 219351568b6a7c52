import { type CanaryEvidence, nextCanaryShare } from "../../models/gate/canary.ts";
import type { Decision } from "../../models/gate/decision.ts";
import { policySha256 } from "../../models/gate/policy.ts";
import type { Verdict } from "../../models/gate/reasons.ts";
import { PhasewiseError } from "../../services/errors.ts";
import type { JudgePayload } from "../../services/queues/types.ts";
import type { CanaryPointer } from "../../services/registry/types.ts";
import type { Judgement } from "../../services/shadow/looks.ts";
import type { JobContext } from "../context.ts";
import { enterClosedUsers } from "./closed-users.ts";
import { judgementOf } from "./judgement.ts";
import { leaveLive } from "./leave-live.ts";
import { type DecisionRef, GATE, ruleAndRecord } from "./record.ts";
import { lossesOf } from "./reverse-shadow.ts";

/**
 * Looks at the canary's present step. A proven loss ends the canary. Enough users without one lead to the policy's next
 * share, and after the last share to all users, by an ordinary promotion. Where promotions are not automatic, and where
 * a forced canary has passed its last share, the record waits for an operator to act on it.
 */
export async function judgeRunningCanary(
  context: JobContext,
  payload: JudgePayload,
): Promise<readonly Judgement[]> {
  const live = await context.registry.live();
  const canary = live?.canary ?? null;
  const step = (await context.shadowLog.openWatches()).find(
    ({ kind, challenger, epoch }) =>
      kind === "canary" && challenger.version === canary?.version && epoch === live?.epoch,
  );
  if (canary === null || step === undefined) return [];
  const { users, vouching } = await enterClosedUsers(context, step);
  const evidence: CanaryEvidence = {
    canary: step.challenger,
    live: step.baseline,
    share: canary.share,
    epoch: step.epoch,
    users: lossesOf(users),
    variance: step.variance,
    figure: step.figure,
    vouching,
    olderUpperBound: step.olderUpperBound,
  };
  const look = await ruleAndRecord(context, "canary", evidence, {
    isWorthRecording: ({ ruling }) => ruling.verdict !== "hold" || payload.record,
    recordedBefore: ({ ruling }) => recordedBefore(context, evidence, ruling.verdict),
  });
  const { verdict } = look.ruling;
  if (verdict === "reject" && look.decision !== null) await leaveLive(context, look.decision);
  if (verdict === "pass" && look.decision !== null) await widen(context, evidence, canary, look.decision);
  return [judgementOf("canary", look, users.length)];
}

/** An earlier record of this verdict on this step, not acted on because of a crash or the policy; null without one. */
async function recordedBefore(
  { decisions, policy }: JobContext,
  { canary, epoch }: CanaryEvidence,
  verdict: Verdict,
): Promise<Decision | null> {
  if (verdict === "hold") return null;
  const earlier = (await decisions.list({ challenger: canary.version })).find(
    ({ hearing, ruling, policySha256: under }) =>
      hearing.about === "canary" &&
      hearing.evidence.epoch === epoch &&
      ruling.verdict === verdict &&
      under === policySha256(policy),
  );
  return earlier ?? null;
}

async function widen(
  context: JobContext,
  { canary: { version }, live, epoch, share }: CanaryEvidence,
  { forced }: CanaryPointer,
  decision: DecisionRef,
): Promise<void> {
  const next = nextCanaryShare(share, context.policy);
  if (!context.policy.promotion.automatic || (next === null && forced)) return;
  const request = {
    version,
    expectedLive: live.version,
    expectedEpoch: epoch,
    reason: decision.sentence,
    actor: GATE,
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
