import type { JobAdded } from "../../services/serving/routes/jobs.ts";
import type { Ladder } from "../../services/serving/routes/ladder.ts";
import type { ModelView } from "../../services/serving/routes/models.ts";
import type { ApiClient } from "../client/api-client.ts";
import { followJob } from "../client/follow-job.ts";

export interface RetrainSchedule {
  /** Times that it came round. */
  count(): number;
  work(): Promise<void>;
}

/**
 * The scheduled retrain of a service that runs for years, on the clock of a replay: the live recipe with its parameters,
 * on all that has happened. What it makes faces the gate, and goes on with the test of the one before it.
 */
export function retrainOnSchedule(api: ApiClient): RetrainSchedule {
  let trained = 0;
  return {
    count: () => trained,
    work: async () => {
      const { live } = await api.get<Ladder>("/ladder");
      if (live === null) return;
      const { record, modelCard } = await api.get<ModelView>(`/models/${live.version}`);
      const { phase, recipe } = record;
      const { params, seed } = modelCard;
      const { jobId } = await api.post<JobAdded>("/retrain", { phase, recipe, params, seed });
      const { state, failedReason } = await followJob(api, jobId);
      if (state === "failed") throw new Error(`scheduled retrain of ${recipe}: ${failedReason}`);
      trained++;
    },
  };
}
