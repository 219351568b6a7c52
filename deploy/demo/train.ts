import { PHASES } from "../../models/phases.ts";
import type { Phase } from "../../models/recipe.ts";
import { PhasewiseError } from "../../services/errors.ts";
import type { JobView } from "../../services/queues/types.ts";
import type { LivePointer } from "../../services/registry/types.ts";
import type { JobAdded } from "../../services/serving/routes/jobs.ts";
import type { Ladder } from "../../services/serving/routes/ladder.ts";
import type { Promoted } from "../../services/serving/routes/promotion.ts";
import type { ApiClient } from "../client/api-client.ts";
import { followJob } from "../client/follow-job.ts";
import type { JobProgress } from "../terminal/progress.ts";

/** What the demo trains: the plain heuristic first, then a challenger for every rung. */
export interface Challenge {
  readonly phase: Phase;
  readonly recipe: string;
  readonly tune: boolean;
  readonly seed?: number;
}

const FLOOR: Challenge = { phase: 1, recipe: "popularity", tune: false };

/** What takes longest begins first: two workers are done sooner so. */
export const CHALLENGES: readonly Challenge[] = [
  { phase: 4, recipe: "neural-blend", tune: false },
  { phase: 1, recipe: "popular-lately", tune: true },
  { phase: 2, recipe: "item-knn", tune: true },
  { phase: 3, recipe: "als", tune: true },
];

/** A/A test: the floor once more under another seed, which nothing in it depends on. It must never be promoted. */
export const A_A_CHALLENGE: Challenge = { ...FLOOR, seed: 2 };

interface RetrainOutcome {
  readonly version: string;
  readonly state: string;
  readonly reason: string;
}

/** Fits phase 1, makes it live, and returns its pointer; nothing to do when something is live already. */
export async function makeFloorLive(api: ApiClient): Promise<LivePointer> {
  const { live } = await api.get<Ladder>("/ladder");
  if (live !== null) return live;
  const { jobId } = await api.post<JobAdded>("/retrain", FLOOR);
  const { version } = resultOf(await followJob(api, jobId));
  const promoted = await api.post<Promoted>(`/models/${version}/promote`, {
    expectedLive: null,
    reason: "the floor of the ladder: the heuristic that everything else has to beat",
  });
  return promoted.live;
}

export interface TrainedChallengers {
  readonly trained: number;
  readonly failed: number;
}

/** Trains every challenger that the ladder does not hold yet, side by side, and shows the progress of each. */
export async function trainChallengers(
  api: ApiClient,
  progress: JobProgress,
  challenges: readonly Challenge[],
): Promise<TrainedChallengers> {
  const { phases } = await api.get<Ladder>("/ladder");
  const known = phases.flatMap(({ versions }) => versions.map((version) => version.recipe));
  // The challenger of an A/A test has the recipe of the floor.
  const isKnown = (challenge: Challenge): boolean =>
    known.filter((recipe) => recipe === challenge.recipe).length > Number(challenge === A_A_CHALLENGE);
  const due = challenges.filter((challenge) => !isKnown(challenge));
  if (due.length === 0) return { trained: 0, failed: 0 };
  const outcomes = await Promise.all(
    due.map(async (challenge) => {
      const { jobId } = await api.post<JobAdded>("/retrain", challenge);
      const job = await followJob(api, jobId, progress.add(nameOf(challenge)));
      if (job.state === "failed") progress.say(`  ${challenge.recipe} failed: ${job.failedReason}`);
      return job.state === "failed";
    }),
  );
  const failed = outcomes.filter(Boolean).length;
  return { trained: outcomes.length - failed, failed };
}

/** The recipe's name stands in the words of its progress. */
function nameOf({ phase }: Challenge): string {
  return `phase ${phase} ${PHASES[phase - 1].name}`;
}

function resultOf(job: JobView): RetrainOutcome {
  if (job.state === "failed")
    throw new PhasewiseError(
      "INVALID_DATA",
      `training failed: ${job.failedReason}; see logs/worker.log in PHASEWISE_HOME`,
    );
  return job.result as RetrainOutcome;
}
