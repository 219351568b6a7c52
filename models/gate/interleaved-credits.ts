import { groupedBy } from "../data/grouped-by.ts";
import type { ItemId } from "../data/ids.ts";
import { closedWindow, type WindowOptions } from "../evaluation/attribution-window.ts";
import { creditsOf, type DraftedItem } from "./interleaving.ts";

/** An interleaved list as it was served to a user. */
export interface ServedDraft {
  readonly requestId: string;
  /** Entries the user's history held when the list was served. */
  readonly historyThrough: number;
  /** The same at the first list of the user, which need not be in the sample: there the window begins. */
  readonly since?: number | undefined;
  readonly items: readonly DraftedItem[];
}

/** An event of the user's, numbered by arrival. */
export interface AnsweringEvent {
  readonly sequence: number;
  readonly itemId: ItemId;
  /** Epoch milliseconds. */
  readonly timestamp: number;
  /** The list it answers to, if any. */
  readonly requestId: string | null;
}

/** One user's credits once the window has closed; both 0 when nothing was chosen from the lists. */
export interface ClosedCredits {
  /** Epoch milliseconds of event time. */
  readonly closedAt: number;
  readonly challenger: number;
  readonly baseline: number;
  /** Length of the history at the first list: the cohort. */
  readonly historyLength: number;
}

/**
 * Joins a user's interleaved lists with the feedback that names them; null while the window, that of the shadow's
 * attribution, is open. An event counts when it is about an item of the list it names, arrived after that list and lies
 * inside the window. Each item of a list counts once, however often the user comes back to it.
 */
export function interleavedCredits(
  lists: readonly ServedDraft[],
  events: readonly AnsweringEvent[],
  options: WindowOptions,
): ClosedCredits | null {
  if (lists.length === 0) return null;
  const historyLength = Math.min(...lists.map(({ historyThrough, since }) => since ?? historyThrough));
  const window = closedWindow(events, historyLength, options);
  if (window === null) return null;

  const { closesAt: closedAt, lastSequence } = window;
  const inTime = events.filter(
    ({ requestId, timestamp, sequence }) =>
      requestId !== null && timestamp <= closedAt && sequence <= lastSequence,
  );
  const chosenFrom = groupedBy(inTime, ({ requestId }) => requestId);
  let challenger = 0;
  let baseline = 0;
  for (const { requestId, historyThrough, items } of lists) {
    const answers = (chosenFrom.get(requestId) ?? []).filter(({ sequence }) => sequence > historyThrough);
    const credits = creditsOf(items, new Set(answers.map(({ itemId }) => itemId)));
    challenger += credits.challenger;
    baseline += credits.baseline;
  }
  return { closedAt, challenger, baseline, historyLength };
}
