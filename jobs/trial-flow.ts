import type { Trial } from "../models/manifest.ts";
import { nextRound } from "../models/tuning/run-search.ts";
import { createSearch } from "../models/tuning/search.ts";
import type { SearchedData, TrialOutcome, TrialPayload } from "../services/queues/types.ts";
import type { JobContext } from "./context.ts";
import type { TrainingData } from "./training-data.ts";
import { validationKey } from "./trial.ts";
import { isBeyondNoise, type SearchResult, type TuneOptions } from "./tune.ts";

/*
 * A search whose trials are jobs. The retrain is the parent of a flow: it asks a round of trials, leaves its worker to
 * them (waiting-children) and is run again when they are done, by whichever worker is free. All it knows is what its
 * finished children returned, so a parent that dies starts where it was, and a trial that dies is run again alone. A
 * round has the same size whatever the workers: the seed decides the parameters, not the machines.
 */

/** Trials asked before the first is told: enough to keep some workers busy, few enough that the model learns from most. */
export const TRIALS_A_ROUND = 4;

/** The trials of one retrain, as jobs. */
export interface TrialFlow {
  /** Notes what the search is begun on, before the first trial. */
  begin(data: SearchedData): Promise<void>;
  /** What has finished, in any order. */
  finished(): Promise<readonly TrialOutcome[]>;
  /** Queues trials, the same ones but once, and gives up this run until they are done: it throws, unless they are. */
  waitFor(trials: readonly TrialPayload[]): Promise<void>;
}

/** As `tune`, trial by trial in jobs of their own. @throws what `flow.waitFor` throws, until every trial is told */
export async function tuneInFlow(
  context: JobContext,
  flow: TrialFlow,
  data: TrainingData,
  options: Omit<TuneOptions, "split">,
): Promise<SearchResult> {
  const { recipe, base, space, seed, trials } = options;
  if (Object.keys(space).length === 0) return { params: base, trials: [], seconds: 0 };
  const searched = { sha256: data.provenance.sha256 };
  await flow.begin(searched);
  const search = createSearch({ space, defaults: base, trials, seed });
  let outcomes = await outcomesOn(flow, searched);
  for (;;) {
    const place = search.trials.length;
    const round = nextRound(search, options.roundSize ?? 1);
    const best = search.best();
    if (round.length === 0 && best !== null) return settled(context, searched, options, search.trials, best);
    const finished = (): boolean => round.every((_, index) => outcomes.has(place + index));
    if (!finished()) {
      const leader = best === null ? "" : `, best nDCG@10 ${best.score.toFixed(4)}`;
      options.onProgress?.({ fraction: place / trials, message: `trial ${place} of ${trials}${leader}` });
      const asked = round.map((suggestion, index) => ({
        ...suggestion,
        recipe: recipe.name,
        data: searched,
        place: place + index,
      }));
      await flow.waitFor(asked);
      outcomes = await outcomesOn(flow, searched);
      if (!finished())
        throw new Error("tuning: expected trials on the data they were asked on; it has changed");
    }
    for (const index of round.keys()) {
      const { place: _, dataSha256: __, ...trial } = outcomes.get(place + index) as TrialOutcome;
      search.tell(trial);
    }
  }
}

/** Finished trials by their place. A compaction may have taken away what some saw: scores of other data do not compare. */
async function outcomesOn(flow: TrialFlow, { sha256 }: SearchedData): Promise<Map<number, TrialOutcome>> {
  const outcomes = await flow.finished();
  const comparable = outcomes.filter(({ dataSha256 }) => dataSha256 === sha256);
  return new Map(comparable.map((outcome) => [outcome.place, outcome]));
}

async function settled(
  context: JobContext,
  { sha256 }: SearchedData,
  { recipe }: Omit<TuneOptions, "split">,
  trials: readonly Trial[],
  best: Trial,
): Promise<SearchResult> {
  const scoresOf = async ({ params, seed }: Trial): Promise<readonly number[]> => {
    const evaluation = await context.evaluations.get(validationKey(sha256, recipe.name, params, seed));
    return evaluation?.perUser.map(({ ndcg }) => ndcg) ?? [];
  };
  const [first] = trials;
  const better = isBeyondNoise(await scoresOf(best), await scoresOf(first));
  return {
    params: (better ? best : first).params,
    trials,
    seconds: trials.reduce((sum, { seconds }) => sum + seconds, 0),
  };
}
