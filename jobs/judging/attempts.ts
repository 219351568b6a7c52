import { nextCanaryShare } from "../../models/gate/canary.ts";
import { type Climb, type Climber, whoClimbs } from "../../models/gate/climb.ts";
import { policySha256 } from "../../models/gate/policy.ts";
import { stillStands } from "../../models/gate/standing.ts";
import type { VersionState } from "../../models/gate/states.ts";
import type { TestResult } from "../../models/gate/test-result.ts";
import { isRemote } from "../../models/remote/remote.ts";
import { PhasewiseError } from "../../services/errors.ts";
import type { JudgePayload } from "../../services/queues/types.ts";
import type { Judgement } from "../../services/shadow/looks.ts";
import type { Attempt } from "../../services/shadow/types.ts";
import type { JobContext } from "../context.ts";
import { settleBaselineChange } from "./baseline-change.ts";
import { enterClosedUsers } from "./closed-users.ts";
import { shadowEvidence } from "./evidence.ts";
import { enterInterleavedUsers, settleInterleaving } from "./interleaving.ts";
import { judgementOf } from "./judgement.ts";
import { judgePairs } from "./pairs.ts";
import { type CaseLook, type DecisionRef, GATE, ruleAndRecord } from "./record.ts";
import { standingOf } from "./standing.ts";

interface JudgedAttempt {
  readonly attempt: Attempt;
  readonly look: CaseLook<"shadow">;
}

/** Looks at every open attempt; a pass or a rejection takes effect. */
export async function judgeAttempts(
  context: JobContext,
  payload: JudgePayload,
): Promise<readonly Judgement[]> {
  const live = await context.registry.live();
  const open = await context.shadowLog.openAttempts();
  const facesLive = ({ baseline }: Attempt): boolean => baseline.version === live?.version;
  const judged: JudgedAttempt[] = [];
  for (const id of context.standings.keys()) {
    if (!open.some((attempt) => attempt.id === id)) context.standings.delete(id);
  }
  let othersRuled = false;
  for (const attempt of open.filter(facesLive)) {
    const before = context.standings.get(attempt.id);
    judged.push({ attempt, look: await lookAt(context, attempt, payload, othersRuled) });
    if (context.standings.get(attempt.id) !== before) othersRuled = true;
  }
  const pairs = open.filter((attempt) => !facesLive(attempt));
  const pairPassed = await judgePairs(context, pairs);
  const climb = await follow(context, judged, pairPassed);
  await settleInterleaving(
    context,
    judged.map(({ attempt, look }) => ({ attempt, outcome: look.ruling })),
  );
  return judged.map(({ look }) => {
    const overlap = look.evidence.agreement?.overlap;
    const found = judgementOf("shadow", look, look.ruling.test?.users ?? 0);
    const sentence = withPatience(found.sentence, look.challenger, climb);
    return {
      ...found,
      ...(overlap === undefined ? {} : { overlap }),
      ...testStandingOf(look),
      sentence,
    };
  });
}

function testStandingOf({ evidence, ruling: { test } }: CaseLook<"shadow">): Pick<Judgement, "standing"> {
  if (test === null || test.users === 0) return {};
  const { alpha, lift, moreUsers } = test;
  const { attempt, usersPerDay = null } = evidence;
  return { standing: { attempt, confidence: 1 - alpha, lift, moreUsers, usersPerDay } };
}

/**
 * A pass is written down once for as long as it is the last word, so that the log is not flooded with "ready" while a
 * version waits for an operator.
 */
async function lookAt(
  context: JobContext,
  attempt: Attempt,
  { record }: JudgePayload,
  othersRuled: boolean,
): Promise<CaseLook<"shadow">> {
  const recorded = await enterClosedUsers(context, attempt);
  await enterInterleavedUsers(context, attempt);
  const standing = await standingOf(context, attempt, recorded);
  const known = context.standings.get(attempt.id);
  if (!record && known !== undefined && stillStands(known, standing, othersRuled))
    return { ...known.ruled, decision: null };
  const evidence = await shadowEvidence(context, attempt, recorded);
  const look = await ruleAndRecord(context, "shadow", evidence, {
    isWorthRecording: ({ ruling }) => ruling.verdict !== "hold" || record,
    recordedBefore: ({ ruling }) =>
      ruling.verdict === "pass" && !record
        ? passOnRecord(context, attempt, ruling.test)
        : Promise.resolve(null),
  });
  context.standings.set(attempt.id, { ...standing, ruled: look });
  return look;
}

/** Rejections first; then who climbs of those that passed, if they are told by themselves (see `climb.ts`). */
async function follow(
  context: JobContext,
  judged: readonly JudgedAttempt[],
  pairPassed: (challenger: string, baseline: string) => boolean,
): Promise<Climb> {
  const rejected = new Set<Attempt>();
  for (const { attempt, look } of judged) {
    if (look.ruling.verdict !== "reject" || look.decision === null) continue;
    await reject(context, attempt, look.decision);
    rejected.add(attempt);
  }
  const passed = judged.flatMap(({ attempt, look: { ruling, decision } }) =>
    ruling.verdict === "pass" && decision !== null ? [{ attempt, ruling, decision }] : [],
  );
  for (const { attempt, decision } of passed) await admit(context, attempt, decision);
  const { decisions, policy } = context;
  const records = await decisions.lastOnClimb(passed.map(({ attempt }) => attempt.challenger.version));
  const climbers = judged
    .filter(({ attempt }) => !rejected.has(attempt) && mayServe(attempt))
    .map(({ attempt: { challenger, plan }, look: { ruling, decision } }): Climber => {
      const { version, phase } = challenger;
      const users = ruling.test?.users ?? 0;
      const recorded = records.get(version)?.ruling;
      const usersAtPass = recorded !== undefined && "test" in recorded ? recorded.test?.users : undefined;
      return {
        version,
        phase,
        cpuMsPerRequest: plan.cpuMsPerRequest.challenger,
        passed: ruling.verdict === "pass" && decision !== null,
        moreUsers: ruling.test?.moreUsers ?? null,
        usersSincePass: users - (usersAtPass ?? users),
      };
    });
  const [first] = passed.filter(({ attempt }) => mayServe(attempt));
  if (first === undefined) return { climbs: null, waits: null };
  const climb = whoClimbs(climbers, pairPassed, {
    livePhase: first.attempt.baseline.phase,
    patienceUsers: policy.promotion.patienceUsers,
  });
  const best = passed.find(({ attempt }) => attempt.challenger.version === climb.climbs);
  if (best !== undefined) await promote(context, best);
  return climb;
}

/** A ranker behind a URL is judged like any other, and never served: it neither climbs nor stands in anybody's way. */
function mayServe({ challenger }: Attempt): boolean {
  return !isRemote(challenger.recipe);
}

/** Who passed and waits says for whom. */
function withPatience(sentence: string, version: string, { waits }: Climb): string {
  if (waits?.version !== version) return sentence;
  const left = waits.usersLeft.toLocaleString("en");
  return `${sentence.replace(/\.$/, "")}; it waits for ${waits.for.join(" and ")}, on a rung that it would skip, for at most ${left} more users.`;
}

/**
 * The record of this attempt's pass, while it is the latest decision on the challenger's climb. Attempts are told apart
 * by α: no two at one baseline have the same.
 */
async function passOnRecord(
  { decisions, policy }: JobContext,
  { challenger: { version }, baseline }: Attempt,
  test: TestResult | null,
): Promise<DecisionRef | null> {
  const last = (await decisions.lastOnClimb([version])).get(version);
  const isOfPair =
    last?.about === "shadow" &&
    last.baseline === baseline.version &&
    last.policySha256 === policySha256(policy);
  if (!isOfPair || !("test" in last.ruling)) return null;
  const { ruling } = last;
  return ruling.verdict === "pass" && ruling.test?.alpha === test?.alpha ? last : null;
}

async function reject(context: JobContext, attempt: Attempt, { sentence }: DecisionRef): Promise<void> {
  const { version } = attempt.challenger;
  await move(context, version, ["SHADOWING", "ELIGIBLE"], "REJECTED", sentence);
  await context.shadowLog.close(attempt.id);
}

async function admit(context: JobContext, attempt: Attempt, { sentence }: DecisionRef): Promise<void> {
  const { version } = attempt.challenger;
  const record = await context.registry.version(version);
  if (record?.state === "SHADOWING") await move(context, version, ["SHADOWING"], "ELIGIBLE", sentence);
}

/** Another judge may have been faster, such as `phasewise shadow` beside a worker; what it did stands. */
async function move(
  context: JobContext,
  version: string,
  from: readonly VersionState[],
  to: VersionState,
  sentence: string,
): Promise<void> {
  try {
    await context.registry.transition(version, from, to, sentence, GATE);
  } catch (error) {
    if (!(error instanceof PhasewiseError && error.code === "CONFLICT")) throw error;
    context.log.warn({ version, error: error.message }, `judge: not moved to ${to}`);
  }
}

async function promote(
  context: JobContext,
  best: { readonly attempt: Attempt; readonly decision: DecisionRef },
): Promise<void> {
  if (!context.policy.promotion.automatic) return;
  // One canary at a time: a challenger that passes meanwhile is compared with whichever version wins.
  if ((await context.registry.live())?.canary) return;
  const request = {
    version: best.attempt.challenger.version,
    expectedLive: best.attempt.baseline.version,
    reason: best.decision.sentence,
    actor: GATE,
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
