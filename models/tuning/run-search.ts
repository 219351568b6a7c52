import type { Trial } from "../manifest.ts";
import { createSearch, type SearchOptions, type Suggestion } from "./search.ts";

export interface Evaluated {
  /** Validation nDCG@10; higher is better. */
  readonly score: number;
  readonly seconds: number;
}

export interface RunOptions {
  /** Trials of an earlier, unfinished run of the same search, in the order they were told. */
  readonly earlier?: readonly Trial[];
  /** Trials under way at once (default 1; more make the order of tells, and so the path, depend on timing). */
  readonly parallel?: number;
  readonly onTrial?: (trial: Trial) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface SearchResult {
  readonly best: Trial;
  /** Every trial, in the order they were told. */
  readonly trials: readonly Trial[];
}

/** Runs a search to its end. An evaluation that throws ends it, after those under way have settled. */
export async function runSearch(
  options: SearchOptions,
  evaluate: (suggestion: Suggestion) => Promise<Evaluated>,
  { earlier = [], parallel = 1, onTrial, signal }: RunOptions = {},
): Promise<SearchResult> {
  const search = createSearch(options);
  for (const trial of earlier) search.tell(trial);

  const evaluateAndTell = async (suggestion: Suggestion): Promise<void> => {
    const { score, seconds } = await evaluate(suggestion);
    const trial = { ...suggestion, score, seconds };
    search.tell(trial);
    onTrial?.(trial);
  };
  const underWay = new Set<Promise<void>>();
  try {
    for (;;) {
      signal?.throwIfAborted();
      const suggestion = underWay.size < parallel ? search.ask() : null;
      if (suggestion !== null) {
        const evaluation = evaluateAndTell(suggestion).finally(() => underWay.delete(evaluation));
        underWay.add(evaluation);
      } else if (underWay.size > 0) await Promise.race(underWay);
      else break;
    }
  } finally {
    await Promise.allSettled(underWay);
  }
  const best = search.best();
  if (best === null) throw new RangeError("search: expected at least one trial, got a budget of none");
  return { best, trials: search.trials };
}
