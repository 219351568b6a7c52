import { mean } from "../evaluation/moments.ts";
import { alphaOfAttempt, alphaOfDiscovery } from "./alpha-spending.ts";
import { canBeCapped, isSoundFigure, UNCAPPED } from "./capped-figure.ts";
import { isSound, type ShadowEvidence, type UserComparison, type UserDifference } from "./evidence.ts";
import { allGuardrails, type GuardrailResult, wordingOf } from "./guardrails/all.ts";
import { marginOf } from "./margin.ts";
import type { Policy } from "./policy.ts";
import { type ReasonCode, reasonOf, type Verdict } from "./reasons.ts";
import { alphaOfStage, decidingStage, type Stage } from "./stage.ts";
import { isCapped, type TestPlan } from "./test-plan.ts";
import { isProvenLoss, runTest, type TestResult } from "./test-result.ts";

export interface Outcome {
  readonly verdict: Verdict;
  /** What decided, most telling first; never empty. */
  readonly reasons: readonly ReasonCode[];
  readonly stage: Stage;
  /** Null when there is no plan or the differences cannot be used. */
  readonly test: TestResult | null;
  /** The refresh's second test, against the last upgrade. */
  readonly lastUpgrade: TestResult | null;
  readonly guardrails: readonly GuardrailResult[];
}

/**
 * Evidence → verdict. Rejects when the challenger did harm or its test has become futile; passes when everything is
 * proven and nothing is missing; holds otherwise. Never throws on bad evidence: it holds and says why.
 */
export function decide(evidence: ShadowEvidence, policy: Policy): Outcome {
  const unusable = unusableEvidence(evidence);
  const usable = unusable.length === 0;
  const stage = decidingStage(evidence, policy);
  const judged = stage === "shadow" ? evidence : { ...evidence, ...votes(evidence) };
  const guardrails = allGuardrails(usable ? judged : { ...evidence, users: [], lists: null }, policy);
  const plan = usable ? planOf(evidence, policy, stage) : null;
  const rows = stage === "shadow" ? evidence.users : (evidence.interleaving ?? []);
  const test = plan === null ? null : runTest(rows, plan);
  const lastUpgrade = plan === null ? null : lastUpgradeTest(evidence, policy);

  const harm = guardrails.filter(
    ({ code, outcome }) => outcome === "fail" && wordingOf(code).isOfService !== true,
  );
  const open = guardrails.filter((result) => result.outcome !== "pass" && !harm.includes(result));
  const futile = test !== null && plan !== null && !test.proven ? futility(rows, plan, test) : null;
  const against = compact([...harm.map(reasonOf), futile, sameness(evidence, test)]);
  const waiting = compact([
    ...unusable,
    ...testReasons(evidence, policy, stage, test, lastUpgrade),
    ...open.map(reasonOf),
  ]);
  const common = { stage, test, lastUpgrade, guardrails };
  if (against.length > 0) return { verdict: "reject", reasons: against, ...common };
  if (waiting.length > 0) return { verdict: "hold", reasons: waiting, ...common };
  const proof = evidence.kind === "UPGRADE" ? "LIFT_PROVEN" : "NOT_WORSE_PROVEN";
  return { verdict: "pass", reasons: [proof], ...common };
}

/** δ, the stage's share of α_k and the bets, all from what was frozen when the shadow started; null without it. */
export function planOf(
  evidence: Pick<ShadowEvidence, "plan" | "attempt" | "kind" | "challenger" | "baseline">,
  policy: Policy,
  stage: Stage = "shadow",
): TestPlan | null {
  const { plan, attempt, kind, challenger, baseline } = evidence;
  const numbers = [
    plan?.baselineMean,
    plan?.variance,
    plan?.cpuMsPerRequest.challenger,
    plan?.cpuMsPerRequest.baseline,
    challenger.phase,
    baseline.phase,
    attempt,
  ];
  if (plan === null || !numbers.every((number) => typeof number === "number" && number >= 0)) return null;
  if (!numbers.every(Number.isFinite) || plan.baselineMean > 1 || !(attempt >= 1)) return null;
  const { cpuMsPerRequest, baselineMean } = plan;
  if (kind !== "REFRESH" && !(cpuMsPerRequest.challenger > 0 && cpuMsPerRequest.baseline > 0)) return null;
  const phases = { challenger: challenger.phase, baseline: baseline.phase };
  const margin =
    stage === "interleaving" ? 0 : marginOf({ kind, baselineMean, phases, cpuMsPerRequest }, policy.margins);
  // Credits span the whole of [−1, 1]: with the planned variance of nDCG differences the bets would be too large.
  const variance = stage === "interleaving" ? 1 : plan.variance;
  // A step down is planned for one that neither wins nor loses: with a lift to be found it would be given up too soon.
  const ofKind = kind === "DOWN_RUNG" ? -margin / 10 : policy.mde;
  const mde = stage === "interleaving" ? policy.interleaving.mde : ofKind;
  const { discovery } = plan;
  if (discovery !== undefined && !(discovery.pair >= 1 && discovery.promotions >= 0)) return null;
  const ofAttempt =
    discovery === undefined
      ? alphaOfAttempt(policy.alpha, Math.floor(attempt))
      : alphaOfDiscovery(policy.alpha, discovery);
  const alpha = alphaOfStage(ofAttempt, stage, policy);
  const figure = plan.figure && stage === "interleaving" ? UNCAPPED : plan.figure;
  if (figure !== undefined && !isSoundFigure(figure)) return null;
  return { margin, mde, variance, alpha, futilityAlpha: policy.alpha, figure };
}

/** One difference that is not finite, out of range or counted twice would make every later number wrong. */
function unusableEvidence({ plan, users, interleaving, lastUpgrade }: ShadowEvidence): ReasonCode[] {
  const samples: (readonly UserDifference[])[] = [users, interleaving ?? []];
  if (lastUpgrade !== null && lastUpgrade !== "is-baseline") samples.push(lastUpgrade);
  const cap = plan?.figure?.cap ?? UNCAPPED.cap;
  const reasons: ReasonCode[] = [];
  if (
    !samples.every((rows) => rows.every(isSound)) ||
    !users.every(({ baseline }) => Number.isFinite(baseline)) ||
    !samples.every((rows) => rows === interleaving || rows.every((row) => canBeCapped(row, cap)))
  ) {
    reasons.push("EVIDENCE_NOT_FINITE");
  }
  if (samples.some((rows) => new Set(rows.map(({ user }) => user)).size !== rows.length)) {
    reasons.push("USER_COUNTED_TWICE");
  }
  return reasons;
}

/**
 * In Stage C a cohort is judged by its votes, because nDCG on choices from the live version's lists favours the live
 * version. A vote is a relative figure already, so the baseline that the tolerated loss is a share of is 1.
 */
function votes({ interleaving, plan }: ShadowEvidence): Pick<ShadowEvidence, "users" | "plan"> {
  return {
    users: (interleaving ?? []).map((user) => ({ ...user, baseline: 1 })),
    plan: plan?.figure === undefined ? plan : { ...plan, figure: UNCAPPED },
  };
}

function lastUpgradeTest(evidence: ShadowEvidence, policy: Policy): TestResult | null {
  const { kind, lastUpgrade } = evidence;
  if (kind === "UPGRADE" || lastUpgrade === null || lastUpgrade === "is-baseline") return null;
  const plan = planOf(evidence, policy);
  return plan === null ? null : runTest(lastUpgrade, plan);
}

function testReasons(
  evidence: ShadowEvidence,
  policy: Policy,
  stage: Stage,
  test: TestResult | null,
  lastUpgrade: TestResult | null,
): ReasonCode[] {
  const reasons: ReasonCode[] = [];
  if (evidence.plan === null || test === null) reasons.push("PLAN_MISSING");
  const { feedback } = evidence;
  if (feedback === null || !(feedback.events > 0) || !Number.isFinite(feedback.listDriven)) {
    reasons.push("FEEDBACK_MISSING");
  }
  const { agreement } = evidence;
  if (agreement === null || !(agreement.requests > 0) || !Number.isFinite(agreement.identical)) {
    reasons.push("AGREEMENT_MISSING");
  }
  if (stage === "interleaving" && evidence.interleaving === null) reasons.push("EXPOSURE_BIAS");
  else if (test !== null) {
    const { minimumUsers } = stage === "shadow" ? policy.shadow : policy.interleaving;
    if (!test.proven) reasons.push("LIFT_UNPROVEN");
    if (test.users < minimumUsers) reasons.push("TOO_FEW_USERS");
  }
  if (!isCurrentAhead(evidence.users)) reasons.push("CURRENT_VERSION_UNPROVEN");
  if (evidence.kind !== "UPGRADE" && evidence.lastUpgrade !== "is-baseline") {
    if (lastUpgrade === null) reasons.push("LAST_UPGRADE_MISSING");
    else if (!lastUpgrade.proven) reasons.push("LAST_UPGRADE_UNPROVEN");
  }
  return reasons;
}

/**
 * A line is proven by the users of all its versions; what is promoted is the present one. Where there were earlier ones it
 * needs users of its own, and a lift on them.
 */
export function isCurrentAhead(users: readonly UserComparison[]): boolean {
  const own = users.filter(({ former }) => former !== true);
  if (own.length === users.length) return true;
  return own.length > 0 && mean(own.map(({ difference }) => difference)) > 0;
}

function futility(rows: readonly UserDifference[], plan: TestPlan, test: TestResult): ReasonCode | null {
  if (isProvenLoss(rows, plan)) {
    const isLoss = !isCapped(plan) || isProvenLoss(rows, { ...plan, margin: Math.min(0, plan.margin) });
    return isLoss ? "PROVEN_LOSS" : "LIFT_BELOW_MARGIN";
  }
  return test.users >= test.nMax ? "NOT_ENOUGH_LIFT" : null;
}

/** A refresh whose lists are all the baseline's own cannot lose and gains nothing: promoting it changes nothing. */
function sameness({ kind, agreement }: ShadowEvidence, test: TestResult | null): ReasonCode | null {
  const isSame = agreement !== null && agreement.requests > 0 && agreement.identical === agreement.requests;
  return kind === "REFRESH" && isSame && test?.proven === true ? "NOTHING_CHANGED" : null;
}

function compact(reasons: readonly (ReasonCode | null)[]): ReasonCode[] {
  return [...new Set(reasons.filter((reason) => reason !== null))];
}
