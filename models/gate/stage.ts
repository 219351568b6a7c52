import type { ShadowEvidence } from "./evidence.ts";
import type { Policy } from "./policy.ts";

/** What decides an attempt: the shadow (Stage B), or interleaving (Stage C) where feedback answers our own lists. */
export type Stage = "shadow" | "interleaving";

/** Relevance must be what users chose, not what our lists made them choose. */
export function decidingStage({ feedback }: Pick<ShadowEvidence, "feedback">, { shadow }: Policy): Stage {
  if (feedback === null || !(feedback.events > 0)) return "shadow";
  return feedback.listDriven / feedback.events > shadow.exposureShare ? "interleaving" : "shadow";
}

/**
 * The share of an attempt's α_k that a stage may spend. Which stage decides turns on the feedback, and may turn
 * while the attempt runs, so that either test may be the one that promotes: together they may spend α_k and no
 * more (union bound, whatever makes the stage change and when). The shares are the policy's, declared before the
 * attempt opens; another policy is another attempt.
 */
export function alphaOfStage(alphaOfAttempt: number, stage: Stage, { interleaving }: Policy): number {
  return alphaOfAttempt * (stage === "interleaving" ? interleaving.alphaShare : 1 - interleaving.alphaShare);
}
