import type { JobContext } from "../context.ts";
import type { DecisionRef } from "./record.ts";

/**
 * Rolls back from the serving version that a decision has found harmful: from the live one to the one before it, from a
 * canary to the live one. The record stands either way: where rollbacks are not automatic, an operator finds it there.
 */
export async function leaveLive(
  { policy, registry, log }: Pick<JobContext, "policy" | "registry" | "log">,
  { id, actor, challenger, sentence }: DecisionRef,
): Promise<void> {
  log.error({ version: challenger, decision: id }, sentence);
  if (!policy.rollback.automatic) return;
  await registry.rollback({
    expectedLive: challenger,
    reason: sentence,
    actor,
    automatic: true,
    decisionId: id,
  });
}
