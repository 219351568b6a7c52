import type { JobAdded } from "../../services/serving/routes/jobs.ts";
import type { Ladder, LadderVersion } from "../../services/serving/routes/ladder.ts";
import type { ModelView } from "../../services/serving/routes/models.ts";
import type { ApiClient } from "../client/api-client.ts";
import { followJob } from "../client/follow-job.ts";

export interface Retrained {
  /** Times that the schedule came round, and how often something was trained. */
  readonly due: number;
  readonly trained: number;
}

const OPEN: ReadonlySet<LadderVersion["state"]> = new Set(["SCREENED", "SHADOWING", "ELIGIBLE", "CANARY"]);

/**
 * The scheduled retrain of a service that runs for years, on the clock of a replay: the live recipe with its parameters,
 * on all that has happened. What it makes faces the gate. While an earlier one does, none is added: each would take its
 * part of α, and none would get the users that it needs.
 */
export function retrainOnSchedule(api: ApiClient): {
  readonly done: () => Retrained;
  readonly work: () => Promise<void>;
} {
  const count = { due: 0, trained: 0 };
  return {
    done: () => ({ ...count }),
    work: async () => {
      count.due++;
      const { live, phases } = await api.get<Ladder>("/ladder");
      const versions = phases.flatMap((phase) => phase.versions);
      const record = versions.find(({ version }) => version === live?.version);
      if (record === undefined) return;
      if (versions.some(({ recipe, state }) => recipe === record.recipe && OPEN.has(state))) return;
      const { modelCard } = await api.get<ModelView>(`/models/${record.version}`);
      const { phase, recipe } = record;
      const { params, seed } = modelCard;
      const { jobId } = await api.post<JobAdded>("/retrain", { phase, recipe, params, seed });
      const { state, failedReason } = await followJob(api, jobId);
      if (state === "failed") throw new Error(`scheduled retrain of ${recipe}: ${failedReason}`);
      count.trained++;
    },
  };
}
