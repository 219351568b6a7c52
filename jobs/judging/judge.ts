import { nextCanaryShare } from "../../models/gate/canary.ts";
import { decide, type Outcome } from "../../models/gate/decide.ts";
import { type Decision, recordDecision } from "../../models/gate/decision.ts";
import type { ShadowEvidence } from "../../models/gate/evidence.ts";
import { explain } from "../../models/gate/explain.ts";
import { policySha256 } from "../../models/gate/policy.ts";
import type { VersionState } from "../../models/gate/states.ts";
import type { TestResult } from "../../models/gate/test-result.ts";
import { PhasewiseError } from "../../services/errors.ts";
import type { JudgePayload } from "../../services/queues/types.ts";
import type { Judgement } from "../../services/shadow/looks.ts";
import type { Attempt } from "../../services/shadow/types.ts";
import type { JobContext } from "../context.ts";
import { judgeRunningCanary } from "./canary.ts";
import { enterClosedUsers } from "./closed-users.ts";
import { shadowEvidence } from "./evidence.ts";
import { leaveFailingLive } from "./fleet.ts";
import { enterInterleavedUsers, settleInterleaving } from "./interleaving.ts";
import { screen } from "./screen.ts";
import { judgeWatch } from "./watch.ts";

const ACTOR = "gate";

/** What follows from a decision names it, and gives its sentence as the reason. */
type Ground = Pick<Decision, "id" | "sentence">;

/**
 * Looks at every open attempt: users whose windows have closed enter, the sequential test moves on, and a pass
 * or a rejection takes effect. Looking often costs nothing: the test is valid at every look. A hold is written
 * down only when asked for (`record`), and a pass once for as long as it is the last word, so that the log is
 * flooded neither with "not yet" nor with "ready", while a version waits for an operator.
 */
export async function judge(context: JobContext, payload: JudgePayload): Promise<readonly Judgement[]> {
  // First of all: a rollback changes what challengers are compared with.
  const failing = await leaveFailingLive(context);
  const watched = await judgeWatch(context, payload);
  const canary = await judgeRunningCanary(context, payload);
  await settleBaselineChange(context);
  const judged: {
    attempt: Attempt;
    outcome: Outcome;
    decision: Ground | null;
    overlap: number | undefined;
  }[] = [];
  for (const attempt of await context.shadowLog.openAttempts()) {
    const recorded = await enterClosedUsers(context, attempt);
    await enterInterleavedUsers(context, attempt);
    const evidence = await shadowEvidence(context, attempt, recorded);
    const outcome = decide(evidence, context.policy);
    const decision = await groundOf(context, attempt, evidence, outcome, payload);
    judged.push({ attempt, outcome, decision, overlap: evidence.agreement?.overlap });
  }
  for (const { attempt, outcome, decision } of judged) {
    if (outcome.verdict === "reject" && decision !== null) await reject(context, attempt, decision);
  }
  // Of several that passed at one look, the simplest climbs, best supported first; the others then face it, so
  // that complexity pays for itself against the best model so far and not against a weaker one.
  const passed = judged
    .filter(({ outcome }) => outcome.verdict === "pass")
    .sort(
      (a, b) =>
        a.attempt.challenger.phase - b.attempt.challenger.phase ||
        (b.outcome.test?.lowerBound ?? -1) - (a.outcome.test?.lowerBound ?? -1),
    );
  for (const { attempt, decision } of passed) if (decision !== null) await admit(context, attempt, decision);
  await promoteFirst(
    context,
    passed.flatMap(({ attempt, decision }) => (decision === null ? [] : [{ attempt, decision }])),
  );
  await settleInterleaving(context, judged);
  const shadowed = judged.map(({ attempt, outcome, overlap }) => ({
    about: "shadow" as const,
    challenger: attempt.challenger.version,
    baseline: attempt.baseline.version,
    verdict: outcome.verdict,
    users: outcome.test?.users ?? 0,
    ...(overlap === undefined ? {} : { overlap }),
    sentence: explain(outcome),
  }));
  const judgements = [...shadowed, ...canary, ...watched, ...failing];
  await context.looks.put(judgements, context.isoNow());
  return judgements;
}

/**
 * An attempt against a version that is not live any more, or under another policy, has lost its meaning: it
 * is closed, and its challenger screened anew against what is live now. That of the canary is closed too: it has
 * led to where it was to lead.
 */
async function settleBaselineChange(context: JobContext): Promise<void> {
  const live = await context.registry.live();
  if (live === null) return;
  const policy = policySha256(context.policy);
  for (const attempt of await context.shadowLog.openAttempts()) {
    const { version } = attempt.challenger;
    const current = attempt.baseline.version === live.version && attempt.policySha256 === policy;
    if (current && version !== live.version && version !== live.canary?.version) continue;
    await context.shadowLog.close(attempt.id);
    const record = await context.registry.version(version);
    if (record?.state === "SHADOWING" || record?.state === "ELIGIBLE") {
      const why = `its baseline ${attempt.baseline.version} or the policy changed`;
      await context.registry.transition(version, [record.state], "STALE", why, ACTOR);
    }
  }
  for (const record of await context.registry.versions()) {
    if (record.state === "STALE" || record.state === "SCREENED") await screen(context, record.version);
  }
}

/** The record of this outcome: made now, unless there is nothing to say or it was said already. */
async function groundOf(
  context: JobContext,
  attempt: Attempt,
  evidence: ShadowEvidence,
  { verdict, test }: Outcome,
  { record }: JudgePayload,
): Promise<Ground | null> {
  if (verdict === "hold" && !record) return null;
  const known = verdict === "pass" && !record ? await passOnRecord(context, attempt, test) : null;
  const { decisions, policy } = context;
  return (
    known ??
    (await decisions.append((previousSha256) =>
      recordDecision(
        { about: "shadow", evidence },
        { policy, actor: ACTOR, at: context.isoNow(), previousSha256 },
      ),
    ))
  );
}

/**
 * The record of this attempt's pass, when nothing was said of the challenger's climb since. No two attempts at a
 * baseline have the same α.
 */
async function passOnRecord(
  { decisions }: JobContext,
  { challenger: { version }, baseline, policySha256: policy }: Attempt,
  test: TestResult | null,
): Promise<Ground | null> {
  const last = (await decisions.lastOnClimb([version])).get(version);
  const isOfPair =
    last?.about === "shadow" && last.baseline === baseline.version && last.policySha256 === policy;
  if (!isOfPair || !("test" in last.ruling)) return null;
  const { ruling } = last;
  return ruling.verdict === "pass" && ruling.test?.alpha === test?.alpha ? last : null;
}

async function reject(context: JobContext, attempt: Attempt, { sentence }: Ground): Promise<void> {
  const { version } = attempt.challenger;
  await move(context, version, ["SHADOWING", "ELIGIBLE"], "REJECTED", sentence);
  await context.shadowLog.close(attempt.id);
}

async function admit(context: JobContext, attempt: Attempt, { sentence }: Ground): Promise<void> {
  const { version } = attempt.challenger;
  const record = await context.registry.version(version);
  if (record?.state === "SHADOWING") await move(context, version, ["SHADOWING"], "ELIGIBLE", sentence);
}

/** Another judge may have been faster, as `phasewise shadow` beside a worker: what it did stands. */
async function move(
  context: JobContext,
  version: string,
  from: readonly VersionState[],
  to: VersionState,
  sentence: string,
): Promise<void> {
  try {
    await context.registry.transition(version, from, to, sentence, ACTOR);
  } catch (error) {
    if (!(error instanceof PhasewiseError && error.code === "CONFLICT")) throw error;
    context.log.warn({ version, error: error.message }, `judge: not moved to ${to}`);
  }
}

async function promoteFirst(
  context: JobContext,
  passed: readonly { readonly attempt: Attempt; readonly decision: Ground }[],
): Promise<void> {
  const best = passed[0];
  if (best === undefined || !context.policy.promotion.automatic) return;
  // One canary at a time; who passed meanwhile faces its winner.
  if ((await context.registry.live())?.canary) return;
  const request = {
    version: best.attempt.challenger.version,
    expectedLive: best.attempt.baseline.version,
    reason: best.decision.sentence,
    actor: ACTOR,
    decisionId: best.decision.id,
  };
  const share = nextCanaryShare(0, context.policy);
  try {
    if (share === null) await context.registry.promote(request);
    else await context.registry.canary({ ...request, share });
  } catch (error) {
    // An operator was faster, or promotions are frozen: the next look starts from what is live then.
    if (!(error instanceof PhasewiseError && error.statusCode === 409)) throw error;
    context.log.warn(
      { version: best.attempt.challenger.version, error: error.message },
      "judge: not promoted",
    );
    return;
  }
  await settleBaselineChange(context);
}
