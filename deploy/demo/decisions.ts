import type { ApiClient } from "../cli/api-client.ts";
import type { DecisionSummary } from "./ladder-table.ts";

const POLL_MS = 1000;

/** Prints each decision of the gate as it falls, in words. */
export async function announceDecisions(
  api: ApiClient,
  write: (text: string) => void,
): Promise<{ stop(): Promise<void> }> {
  const seen = new Set<string>();
  const look = async (announce: boolean): Promise<void> => {
    const { decisions } = await api.get<{ decisions: readonly DecisionSummary[] }>("/decisions?limit=50");
    for (const { id, challenger, baseline, sentence } of [...decisions].reverse()) {
      if (seen.has(id)) continue;
      seen.add(id);
      if (announce) write(`  ⚖ ${challenger} against ${baseline}: ${sentence}`);
    }
  };
  await look(false);
  // A poll that fails is made up for by the next one.
  const timer = setInterval(() => void look(true).catch(() => {}), POLL_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await look(true);
    },
  };
}
