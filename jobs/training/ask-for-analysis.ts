import { createProducers } from "../../services/queues/producers.ts";
import type { RetrainPayload } from "../../services/queues/types.ts";
import { retry } from "../../services/waiting.ts";
import type { JobContext } from "../context.ts";
import type { RetrainResult } from "./retrain.ts";

const ATTEMPTS = 20;
const PAUSE_MS = 500;

/**
 * A phase that does not pay must be explained: a version that was rejected, or that does not lead on the holdout, is
 * analysed afterwards, and any other when it was asked for. Training again on the same data asks for the same job,
 * whose fits are remembered.
 */
export async function askForAnalysis(
  { config, policy, log, now }: JobContext,
  { analyse }: RetrainPayload,
  { version, state, lift }: RetrainResult,
): Promise<void> {
  const { analysisSeconds } = policy.training;
  const doesNotPay = state === "REJECTED" || (lift !== null && lift <= 0 && state !== "LIVE");
  if (analyse !== true && !(doesNotPay && analysisSeconds > 0)) return;
  const producers = createProducers(config, (error) =>
    log.warn({ error: error.message }, "producers: redis trouble"),
  );
  try {
    const budgetSeconds = Math.max(analysisSeconds, 1);
    // A retrain must not fail, and start over, because a busy Redis was late for this once.
    const jobId = await retry(
      () => producers.addAnalysis({ version, budgetSeconds }, now()),
      (attempt) => (attempt < ATTEMPTS ? PAUSE_MS : null),
    );
    log.info({ version, jobId }, "analysis asked for");
  } finally {
    await producers.close();
  }
}
