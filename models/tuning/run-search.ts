import type { Trial } from "../artifact/manifest.ts";
import { createSearch, type Search, type SearchOptions, type Suggestion } from "./search.ts";

/** What came of a trial: validation nDCG@10, higher is better, or why there is none. */
export type Evaluated =
  | { readonly score: number; readonly seconds: number }
  | { readonly failure: string; readonly seconds: number };

export interface RunOptions {
  /** Trials in one round, asked before the result of the first is known (default 1); see `nextRound`. */
  readonly roundSize?: number | undefined;
  readonly onTrial?: (trial: Trial) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The suggestions to evaluate next, at most `size`; none when the search is over. All of a round are reported, in the
 * order they were asked, before the next is asked: the path depends on the size of a round and on nothing else, however
 * many workers share it and whichever ends first.
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

/** A failed trial is kept with a score of 0, which no trial that ran falls below. */
export function trialOf(suggestion: Suggestion, evaluated: Evaluated): Trial {
  return { ...suggestion, score: 0, ...evaluated };
}

/**
 * Runs a search to its end in this process, one evaluation at a time. One that throws ends it.
 * @returns every trial, in the order they were reported
 */
export async function runSearch(
  options: SearchOptions,
  evaluate: (suggestion: Suggestion) => Promise<Evaluated>,
  { roundSize = 1, onTrial, signal }: RunOptions = {},
): Promise<readonly Trial[]> {
  const search = createSearch(options);
  for (;;) {
    const round = nextRound(search, roundSize);
    if (round.length === 0) return search.trials;
    const trials: Trial[] = [];
    for (const suggestion of round) {
      signal?.throwIfAborted();
      const trial = trialOf(suggestion, await evaluate(suggestion));
      trials.push(trial);
      onTrial?.(trial);
    }
    for (const trial of trials) search.tell(trial);
  }
}
