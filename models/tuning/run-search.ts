import type { Trial } from "../manifest.ts";
import { createSearch, type Search, type SearchOptions, type Suggestion } from "./search.ts";

export interface Evaluated {
  /** Validation nDCG@10; higher is better. */
  readonly score: number;
  readonly seconds: number;
}

export interface RunOptions {
  /** Trials of an earlier, unfinished run of the same search, in the order they were told; whole rounds. */
  readonly earlier?: readonly Trial[];
  /** Trials asked before the first of them is told (default 1); see `nextRound`. */
  readonly roundSize?: number;
  readonly onTrial?: (trial: Trial) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface SearchResult {
  readonly best: Trial;
  /** Every trial, in the order they were told. */
  readonly trials: readonly Trial[];
}

/**
 * The suggestions to evaluate next, at most `size`; none when the search is over. All of a round are told, in the order
 * they were asked, before the next is asked: the path depends on the size of a round and on nothing else, however many
 * workers share it and whichever ends first.
 */
export function nextRound(search: Search, size: number): readonly Suggestion[] {
  const round: Suggestion[] = [];
  while (round.length < size) {
    const suggestion = search.ask();
    if (suggestion === null) break;
    round.push(suggestion);
  }
  return round;
}

/** Runs a search to its end in this process, one evaluation at a time. One that throws ends it. */
export async function runSearch(
  options: SearchOptions,
  evaluate: (suggestion: Suggestion) => Promise<Evaluated>,
  { earlier = [], roundSize = 1, onTrial, signal }: RunOptions = {},
): Promise<SearchResult> {
  const search = createSearch(options);
  for (const trial of earlier) search.tell(trial);
  for (;;) {
    const round = nextRound(search, roundSize);
    if (round.length === 0) break;
    const trials: Trial[] = [];
    for (const suggestion of round) {
      signal?.throwIfAborted();
      const { score, seconds } = await evaluate(suggestion);
      const trial = { ...suggestion, score, seconds };
      trials.push(trial);
      onTrial?.(trial);
    }
    for (const trial of trials) search.tell(trial);
  }
  const best = search.best();
  if (best === null) throw new RangeError("search: expected at least one trial, got a budget of none");
  return { best, trials: search.trials };
}
