import { withBudget } from "../../models/tuning/budget.ts";
import { choose } from "../../models/tuning/choice.ts";
import { nextRound, trialOf } from "../../models/tuning/run-search.ts";
import { createSearch } from "../../models/tuning/search.ts";
import type { SearchedData, TrialOutcome, TrialPayload } from "../../services/queues/types.ts";
import type { JobContext } from "../context.ts";
import type { TrainingData } from "../data/training-data.ts";
import {
  type SearchResult,
  type SearchRun,
  searchOptions,
  searchProgress,
  unsearched,
} from "./search-in-process.ts";
import { validationKey } from "./trial-job.ts";

/*
 * A search whose trials are jobs. The retrain is the parent of a flow: it asks a round of trials, leaves its worker to
 * them (waiting-children) and is run again when they are done, by whichever worker is free. All it knows is what became
 * of its children, so a parent that dies starts where it was, and a trial that dies is run again alone. A round has the
 * same size whatever the workers: the seed decides the parameters, not the machines.
 */

/** The trials of one retrain, as jobs. */
export interface TrialFlow {
  /** Writes down, before the first trial, which data the search uses. */
  begin(data: SearchedData): Promise<void>;
  /** The outcome of each trial, in the order given; null while it has not ended. */
  outcomesOf(trials: readonly TrialPayload[]): Promise<readonly (TrialOutcome | null)[]>;
  /** Queues the trials that are not queued yet. Throws while any has not ended: this job runs again once all have. */
  waitFor(trials: readonly TrialPayload[]): Promise<void>;
}

/** As `searchInProcess`, with each trial a job of its own. @throws what `flow.waitFor` throws, while trials run */
export async function searchByJobs(
  context: JobContext,
  flow: TrialFlow,
  data: TrainingData,
  options: Omit<SearchRun, "split">,
): Promise<SearchResult> {
  const { recipe, base, space, trials } = options;
  if (Object.keys(space).length === 0) return unsearched(base);
  const searched = { sha256: data.provenance.sha256 };
  await flow.begin(searched);
  const search = createSearch(searchOptions(options));
  for (;;) {
    const round = nextRound(search, options.roundSize ?? 1);
    if (round.length === 0) return settled(context, searched, options, search.trials);
    const asked = round.map((suggestion, index) => ({
      ...suggestion,
      recipe: recipe.name,
      data: searched,
      place: search.trials.length + index,
    }));
    let outcomes = await flow.outcomesOf(asked);
    if (outcomes.includes(null)) {
      options.onProgress?.(searchProgress(search.trials, trials));
      await flow.waitFor(asked);
      outcomes = await flow.outcomesOf(asked);
    }
    for (const [index, suggestion] of round.entries()) {
      search.tell(trialOf(suggestion, evaluatedOn(searched, outcomes[index])));
    }
  }
}

/** A compaction may have taken away the data that a search began on: scores on other data do not compare. */
function evaluatedOn({ sha256 }: SearchedData, outcome: TrialOutcome | null) {
  if (outcome?.dataSha256 !== sha256) {
    throw new Error(
      `tuning: expected trials on the data they were asked on, ${sha256}, got ${outcome?.dataSha256}; it has changed, and the search begins anew`,
    );
  }
  const { dataSha256: _, ...evaluated } = outcome;
  return evaluated;
}

async function settled(
  context: JobContext,
  { sha256 }: SearchedData,
  { recipe }: Omit<SearchRun, "split">,
  trials: SearchResult["trials"],
): Promise<SearchResult> {
  const [taken, choice] = await choose(trials, async ({ params, seed, budget }) => {
    const key = validationKey(sha256, recipe.name, withBudget(recipe, params, budget), seed);
    return (await context.evaluations.get(key))?.perUser.map(({ ndcg }) => ndcg) ?? [];
  });
  return {
    params: taken.params,
    trials,
    choice,
    seconds: trials.reduce((sum, { seconds }) => sum + seconds, 0),
  };
}
