import { setTimeout as pause } from "node:timers/promises";
import { apiClient } from "../../../deploy/client/api-client.ts";
import { followJob } from "../../../deploy/client/follow-job.ts";
import type { RetrainResult } from "../../../jobs/training/retrain.ts";
import type { LiveView } from "../../../services/serving/routes/promotion.ts";

/** What the operator did; `failed` holds the words of what was refused. */
export interface Deeds {
  retrains: number;
  promotions: number;
  rollbacks: number;
  readonly failed: string[];
}

/** Trains, promotes and rolls back in turn until told to stop. */
export async function operate(
  url: string,
  key: string,
  everyMs: number,
  stopped: () => boolean,
): Promise<Deeds> {
  const api = apiClient(url, key);
  const deeds: Deeds = { retrains: 0, promotions: 0, rollbacks: 0, failed: [] };
  for (let round = 0; !stopped(); round++) {
    try {
      // Each is a version of its own.
      const order = { phase: 1, recipe: "popular-lately", params: { halfLifeDays: 10 + round / 16 } };
      const { jobId } = await api.post<{ jobId: string }>("/retrain", order);
      const { result, failedReason } = await followJob(api, jobId);
      if (failedReason !== null) throw new Error(`retrain: ${failedReason}`);
      deeds.retrains++;
      const { version } = result as RetrainResult;
      const { live } = await api.get<LiveView>("/live");
      await api.post(`/models/${version}/promote`, {
        expectedLive: live?.version ?? null,
        reason: `round ${round}`,
        force: true,
      });
      deeds.promotions++;
      await pause(everyMs / 2);
      await api.post("/rollback", { expectedLive: version, reason: `round ${round}` });
      deeds.rollbacks++;
    } catch (error) {
      deeds.failed.push(error instanceof Error ? error.message : String(error));
    }
    await pause(everyMs / 2);
  }
  return deeds;
}
