import type { CanaryEvidence, CanaryRuling } from "./canary.ts";
import type { Outcome } from "./decide.ts";
import type { ShadowEvidence } from "./evidence.ts";
import { aboutMoreUsers, atThisRate, change, percent, userCount, words } from "./explain-words.ts";
import type { GuardrailResult } from "./guardrails/all.ts";
import { explainGuardrail, guardrailName } from "./guardrails/explain-guardrail.ts";
import type { ScreenRuling } from "./screen.ts";
import type { TestResult } from "./test-result.ts";
import type { WatchRuling } from "./watch.ts";

/** What else of an attempt its sentence names; a record of earlier releases may lack the rate. */
export type Attempted = Partial<Pick<ShadowEvidence, "attempt" | "usersPerDay" | "kind" | "plan">>;

/** A shadow's outcome in one sentence of plain English, with its numbers in users and days. */
export function explain(outcome: Outcome, attempted: Attempted = {}): string {
  const failing = outcome.guardrails.filter((result) => result.outcome !== "pass");
  if (outcome.verdict === "pass")
    return `Passed: ${proof(outcome)}; every guardrail holds${freed(attempted)}.`;
  if (outcome.verdict === "reject") return `Rejected: ${objection(outcome, failing)}.`;
  return `Held: ${openQuestion(outcome, attempted)}${alsoOpen(outcome, failing)}.`;
}

export function explainScreen({ result, reasons, verdict, admitted }: ScreenRuling): string {
  const { users, lift, lowerBound, upperBound, margin, outcome } = result;
  const next = admitted ? "it goes on to the shadow" : "it does not go on to the shadow";
  const found = `on ${userCount(users)} of the holdout the lift is ${change(lift)}`;
  if (outcome === "passed" && verdict === "pass") {
    return `Passed the screen: ${found}, at least ${change(lowerBound)}, beyond the margin of ${change(margin)}; ${next}.`;
  }
  if (outcome === "lost") {
    return `Rejected by the screen: ${found}, at most ${change(upperBound)}, short of the margin of ${change(margin)}.`;
  }
  if (verdict === "reject") return `Rejected by the screen: ${reasons.map(words).join(", ")}.`;
  const problems = reasons.filter((reason) => reason !== "SCREEN_INCONCLUSIVE");
  if (problems.join() === "NOT_JUDGED_OFFLINE") {
    return `Not judged offline: a model trained elsewhere may have learned from the holdout, so only the shadow decides; ${next}.`;
  }
  if (problems.length > 0) return `Held by the screen: ${problems.map(words).join(", ")}.`;
  if (!Number.isFinite(lowerBound)) {
    return `Not settled by the screen: ${userCount(users)} of the holdout ${users === 1 ? "is" : "are"} fewer than the policy asks for (screen.minimumUsers); ${next}.`;
  }
  return `Not settled by the screen: ${found}, somewhere in ${change(lowerBound)} to ${change(upperBound)} with a margin of ${change(margin)}; ${next}.`;
}

export function explainWatch({ verdict, reasons, test }: WatchRuling): string {
  if (test === null) return `Watching: the evidence cannot be used (${reasons.map(words).join(", ")}).`;
  const seen = `after ${userCount(test.users)} the previous version leads by ${change(test.lift)}`;
  if (verdict === "reject") return `Proven worse: ${seen}, by at least ${change(test.lowerBound)}.`;
  return verdict === "pass"
    ? `Kept: ${seen}, which proves no loss, and the watch is over.`
    : `Watching: ${seen}, which proves no loss.`;
}

export function explainCanary(
  { verdict, reasons, test }: CanaryRuling,
  { share }: Pick<CanaryEvidence, "share">,
): string {
  const step = `Canary at ${percent(share)} of the users`;
  if (test === null) return `${step}: the evidence cannot be used (${reasons.map(words).join(", ")}).`;
  const seen = `after ${userCount(test.users)} the live version leads by ${change(test.lift)}`;
  if (verdict === "reject") return `${step}, proven worse: ${seen}, by at least ${change(test.lowerBound)}.`;
  return verdict === "pass"
    ? `${step} passed: ${seen}, which proves no loss.`
    : `${step}: ${seen}, which proves no loss.`;
}

function proof({ reasons, stage, test }: Outcome): string {
  if (test === null) return words(reasons[0]);
  const { users, lift, lowerBound, margin, alpha } = test;
  const measure = stage === "shadow" ? "lift" : "share of choices won in interleaved lists";
  const confidence = `${percent(1 - alpha)} confidence at any time, ${stage === "shadow" ? "the shadow" : "interleaving"}'s share of α`;
  const beyond = reasons[0] === "LIFT_PROVEN" ? "beyond the margin of" : "not below the tolerated loss of";
  return `after ${userCount(users)} the ${measure} is ${change(lift)}, at least ${change(lowerBound)} (${confidence}), ${beyond} ${change(margin)}`;
}

/** What a step down the ladder saves; the margin of an UPGRADE is the price of what it costs. */
function freed({ kind, plan }: Attempted): string {
  if (kind !== "DOWN_RUNG" || plan == null) return "";
  const { cpuMsPerRequest: cpu, modelMb } = plan;
  const cpuFreed = `${(cpu.baseline - cpu.challenger).toFixed(2)} ms of the ${cpu.baseline.toFixed(2)} ms CPU of a request`;
  const mb = modelMb === undefined ? 0 : modelMb.baseline - modelMb.challenger;
  const memory =
    mb === 0
      ? ""
      : mb > 0
        ? ` and ${mb.toFixed(1)} MB of memory`
        : `, and takes ${(-mb).toFixed(1)} MB more memory`;
  return `; it frees ${cpuFreed}${memory}`;
}

function objection({ reasons, test }: Outcome, failing: readonly GuardrailResult[]): string {
  const broken = failing.filter(({ code, outcome }) => outcome === "fail" && reasons.includes(code));
  if (broken.length > 0) return broken.map(explainGuardrail).join("; ");
  if (test === null) return reasons.map(words).join(", ");
  const seen = `after ${userCount(test.users)} the lift is ${change(test.lift)}`;
  if (reasons[0] === "PROVEN_LOSS") return `${seen}, a proven loss`;
  if (reasons[0] === "LIFT_BELOW_MARGIN") {
    return `after ${userCount(test.users)} the lift of ${change(test.lift)} is proven to lie below its margin of ${change(test.margin)}`;
  }
  if (reasons[0] === "NOTHING_CHANGED") {
    return `after ${userCount(test.users)} every list was the live version's own, so that promoting it would change nothing`;
  }
  return `${seen} without proof beyond the margin of ${change(test.margin)}, and ${userCount(test.nMax)} were planned at most`;
}

function openQuestion(outcome: Outcome, attempted: Attempted): string {
  const { reasons, test, guardrails } = outcome;
  if (reasons.includes("EXPOSURE_BIAS")) {
    return "too much of the feedback answers our own lists, which favours the live model; only interleaving can decide";
  }
  if (test === null) return reasons.map(words).join(", ");
  if (!test.proven) return liftQuestion(test, outcome, attempted);
  const first = reasons[0];
  if (first === "TOO_FEW_USERS") {
    return `the lift of ${change(test.lift)} is proven after ${userCount(test.users)}, fewer than the policy asks for`;
  }
  const open = guardrails.find(({ code }) => first.startsWith(code));
  const proven = `the lift of ${change(test.lift)} is proven after ${userCount(test.users)}, but`;
  return `${proven} ${open === undefined ? words(first) : explainGuardrail(open)}`;
}

/** "after 254 users the lift of +0.008 is compatible with none; about 90 more users would settle it, some 3 days …" */
function liftQuestion(test: TestResult, { stage, guardrails }: Outcome, attempted: Attempted): string {
  const { users, lift, lowerBound, margin, moreUsers, alpha } = test;
  if (users === 0) return `no user has been judged yet${beforeComparison(guardrails)}`;
  const measure = stage === "shadow" ? "lift" : "interleaved lead";
  const doubt = doubtOf(lift, lowerBound, margin);
  const outlook =
    moreUsers === null
      ? "if it goes on like this, no number of users would settle it"
      : `${aboutMoreUsers(moreUsers)} would settle it${atThisRate(moreUsers, attempted.usersPerDay)}`;
  return `after ${userCount(users)} the ${measure} of ${change(lift)} ${doubt}; ${outlook}${shareOfAlpha(attempted, alpha)}`;
}

/** Of the first attempt the policy's confidence is asked; later ones are told why more is asked of them. */
function shareOfAlpha({ attempt = 1 }: Attempted, alpha: number): string {
  if (attempt <= 1) return "";
  return ` (attempt ${attempt} at this baseline: each takes its part of α, so this one must be proven at ${percent(1 - alpha)} confidence)`;
}

/** Events that arrive late look like traffic, but those from before the comparison prove nothing in it. */
function beforeComparison(guardrails: Outcome["guardrails"]): string {
  const requests = guardrails.find(({ code }) => code === "SAMPLING_INTEGRITY")?.numbers.early ?? 0;
  if (requests === 0) return "";
  return `; what users did after ${requests === 1 ? "1 request" : `${requests.toLocaleString("en")} requests`} dates from before the comparison`;
}

function doubtOf(lift: number, lowerBound: number, margin: number): string {
  if (margin < 0) return `does not exclude a loss beyond ${change(margin)}`;
  if (lift < 0) return "speaks against it";
  if (lift === 0) return "is none at all";
  return lowerBound <= 0 ? "is compatible with none" : `is not proven beyond its margin of ${change(margin)}`;
}

function alsoOpen({ reasons, test }: Outcome, failing: readonly GuardrailResult[]): string {
  const said = test?.proven === true && reasons[0] !== "TOO_FEW_USERS" ? reasons[0] : "";
  // Before the first user nothing is measured, and every check would be listed as open.
  const open = test?.users === 0 ? failing.filter(({ outcome }) => outcome === "fail") : failing;
  const others = open.filter(({ code }) => said === "" || !said.startsWith(code));
  const lastUpgrade = reasons.filter((reason) => reason.startsWith("LAST_UPGRADE") && reason !== said);
  const names = [...others.map(guardrailName), ...lastUpgrade.map(words)];
  return names.length === 0 ? "" : `; also open: ${names.join(", ")}`;
}
