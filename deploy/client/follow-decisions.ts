import type { DecisionSummary } from "../../services/registry/decision-summary.ts";
import type { Decisions } from "../../services/serving/routes/records.ts";
import type { ApiClient } from "./api-client.ts";

const POLL_MS = 1000;

/** Hands on each decision of the gate as it falls, from now until it is stopped. */
export async function followDecisions(
  api: ApiClient,
  onDecision: (decision: DecisionSummary) => void,
): Promise<{ stop(): Promise<void> }> {
  const seen = new Set<string>();
  const look = async (announce: boolean): Promise<void> => {
    const { decisions } = await api.get<Decisions>("/decisions?limit=50");
    for (const decision of [...decisions].reverse()) {
      if (seen.has(decision.id)) continue;
      seen.add(decision.id);
      if (announce) onDecision(decision);
    }
  };
  await look(false);
  // A poll that fails is made up for by the next one. Nobody waits for the polls, so they keep no process running.
  const timer = setInterval(() => void look(true).catch(() => {}), POLL_MS).unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await look(true);
    },
  };
}
