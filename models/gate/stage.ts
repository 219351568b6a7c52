import type { ShadowEvidence } from "./evidence.ts";
import type { Policy } from "./policy.ts";

/** What decides an attempt: the shadow (Stage B), or interleaving (Stage C) where feedback answers our own lists. */
export type Stage = "shadow" | "interleaving";

/** Too many choices from our own lists say what those lists offered, and not what users find relevant. */
export function decidingStage({ feedback }: Pick<ShadowEvidence, "feedback">, { shadow }: Policy): Stage {
  if (feedback === null || !(feedback.events > 0)) return "shadow";
  return feedback.listDriven / feedback.events > shadow.exposureShare ? "interleaving" : "shadow";
}

/**
 * The share of an attempt's α_k that a stage may spend. Feedback decides which stage counts, and that may change while
 * the attempt runs, so either test may be the one that promotes. Together they spend at most α_k (union bound, whenever
 * and why ever the stage changes). The policy declares the shares before the attempt opens; another policy is another
 * attempt.
 */
export function alphaOfStage(alphaOfAttempt: number, stage: Stage, { interleaving }: Policy): number {
  return alphaOfAttempt * (stage === "interleaving" ? interleaving.alphaShare : 1 - interleaving.alphaShare);
}
