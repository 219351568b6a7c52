import { type FaultCounts, LIST_FAULTS } from "../evaluation/list-faults.ts";
import {
  isSound,
  type Pair,
  type ShadowEvidence,
  type UserDifference,
  type VersionFacts,
} from "./evidence.ts";
import { trainedBefore } from "./guardrails/integrity.ts";
import { FAULT_CODES } from "./guardrails/lists.ts";
import { type ChallengeKind, marginOf } from "./margin.ts";
import type { Policy } from "./policy.ts";
import type { ReasonCode, Verdict } from "./reasons.ts";
import { type ScreenResult, screen } from "./screen-bounds.ts";

/** What the offline comparison on the holdout found. */
export interface ScreenEvidence {
  readonly kind: ChallengeKind;
  readonly challenger: VersionFacts;
  readonly baseline: VersionFacts;
  readonly baselineMean: number;
  readonly cpuMsPerRequest: Pair<number>;
  readonly users: readonly UserDifference[];
  /** Faulty lists of the challenger on the holdout. */
  readonly faults: FaultCounts | null;
  readonly window: ShadowEvidence["window"];
  /** True for a model trained elsewhere, which may have learned from the holdout: then `users` is empty. */
  readonly unjudged?: boolean | undefined;
  readonly seed: number;
}

export interface ScreenRuling {
  readonly verdict: Verdict;
  readonly reasons: readonly ReasonCode[];
  readonly result: ScreenResult;
  /** Whether the challenger goes on to the shadow. */
  readonly admitted: boolean;
}

/** What the holdout cannot settle and the shadow can: no reason to keep a challenger out of it. */
const LEFT_TO_SHADOW: ReadonlySet<ReasonCode> = new Set(["SCREEN_INCONCLUSIVE", "NOT_JUDGED_OFFLINE"]);

/** Stage A with its own guardrails: a broken list, or training on the holdout, rejects whatever the lift. */
export function screenChallenger(evidence: ScreenEvidence, policy: Policy): ScreenRuling {
  const result = screen(
    evidence.users.map(({ difference }) => difference),
    screenMargin(evidence, policy),
    policy.screen,
    evidence.seed,
  );
  const against = harmOf(evidence);
  if (result.outcome === "lost") against.push("SCREEN_LOST");
  if (against.length > 0) return { verdict: "reject", reasons: against, result, admitted: false };

  const waiting = missingFrom(evidence);
  if (evidence.unjudged === true) waiting.push("NOT_JUDGED_OFFLINE");
  if (result.outcome === "inconclusive") waiting.push("SCREEN_INCONCLUSIVE");
  const admitted = result.admitted && waiting.every((reason) => LEFT_TO_SHADOW.has(reason));
  if (waiting.length > 0) return { verdict: "hold", reasons: waiting, result, admitted };
  return { verdict: "pass", reasons: ["SCREEN_PASSED"], result, admitted };
}

/** Not finite when the inputs are unusable; the screen then stays inconclusive. */
function screenMargin(evidence: ScreenEvidence, policy: Policy): number {
  const { kind, baselineMean, challenger, baseline, cpuMsPerRequest } = evidence;
  const numbers = [baselineMean, challenger.phase, baseline.phase];
  const usable =
    numbers.every(Number.isFinite) &&
    baselineMean >= 0 &&
    baselineMean <= 1 &&
    cpuMsPerRequest.challenger > 0 &&
    cpuMsPerRequest.baseline > 0;
  if (!usable) return Number.NaN;
  const phases = { challenger: challenger.phase, baseline: baseline.phase };
  return marginOf({ kind, baselineMean, phases, cpuMsPerRequest }, policy.margins);
}

function harmOf({ faults, window, unjudged }: ScreenEvidence): ReasonCode[] {
  const broken = LIST_FAULTS.filter((fault) => faults !== null && faults[fault] > 0);
  const reasons: ReasonCode[] = broken.map((fault) => FAULT_CODES[fault]);
  if (unjudged !== true && trainedBefore(window).outcome === "fail") reasons.push("TRAINED_PAST_CUT");
  return reasons;
}

function missingFrom({ faults, window, users, baselineMean, cpuMsPerRequest }: ScreenEvidence): ReasonCode[] {
  const reasons: ReasonCode[] = [];
  const numbers = [baselineMean, cpuMsPerRequest.challenger, cpuMsPerRequest.baseline];
  if (!users.every(isSound) || !numbers.every(Number.isFinite)) reasons.push("EVIDENCE_NOT_FINITE");
  if (new Set(users.map(({ user }) => user)).size !== users.length) reasons.push("USER_COUNTED_TWICE");
  if (faults === null || !LIST_FAULTS.every((fault) => Number.isFinite(faults[fault]))) {
    reasons.push("LIST_CHECKS_MISSING");
  }
  if (trainedBefore(window).outcome === "missing") reasons.push("TRAINED_PAST_CUT_MISSING");
  return reasons;
}
