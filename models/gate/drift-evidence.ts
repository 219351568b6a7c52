import { MS_PER_DAY } from "../data/day.ts";
import type { InteractionLog } from "../data/interaction-log.ts";
import type { ItemFilter } from "../recommender.ts";
import { type DriftEvidence, historyLengthHistogram, popularityBins } from "./drift.ts";
import type { Policy } from "./policy.ts";

const BINS = 10;
const SHORTEST_SPAN_MS = MS_PER_DAY / 24;

/**
 * Compares the events since the training cut with as many before it, at most the later half of the training events.
 * Popularity bins are made from the events before both, so that they favour neither side. Null when either side has too
 * few events to tell change from chance. Each event counts as one request of its user.
 *
 * @param cut position of the first event that was not trained on
 * @param known items that the live model can recommend
 */
export function driftEvidence(
  log: InteractionLog,
  cut: number,
  known: ItemFilter,
  { minimumEvents }: Pick<Policy["drift"], "minimumEvents">,
): DriftEvidence | null {
  const end = log.timestamps.length;
  const from = Math.max(2 * cut - end, Math.ceil(cut / 2));
  if (cut - from < minimumEvents || end - cut < minimumEvents) return null;
  const lengths = historyLengths(log);
  const before = new Uint32Array(log.items.size);
  for (let event = 0; event < from; event++) before[log.itemIndex[event]]++;
  const binOf = popularityBins(before, BINS);
  const popularity = (start: number, stop: number): number[] => {
    const histogram = new Array<number>(BINS).fill(0);
    for (let event = start; event < stop; event++) histogram[binOf[log.itemIndex[event]]]++;
    return histogram;
  };
  const perDay = (start: number, stop: number): number =>
    ((stop - start) * MS_PER_DAY) /
    Math.max(SHORTEST_SPAN_MS, log.timestamps[stop - 1] - log.timestamps[start]);
  const shareOf = (start: number, stop: number, holds: (event: number) => boolean): number => {
    let count = 0;
    for (let event = start; event < stop; event++) if (holds(event)) count++;
    return count / (stop - start);
  };
  const isUnknown = (event: number): boolean => !known.has(log.items.idAt(log.itemIndex[event]));
  const isNewUser = (event: number): boolean => lengths[event] === 0;
  return {
    popularity: { expected: popularity(from, cut), actual: popularity(cut, end) },
    historyLength: {
      expected: historyLengthHistogram(lengths.subarray(from, cut)),
      actual: historyLengthHistogram(lengths.subarray(cut)),
    },
    unknownItems: {
      // The live model was trained on these events, and so knows their items. To compare alike, an item counts as
      // unknown here when it first appeared in them: a model trained before them would not know it.
      expected: shareOf(from, cut, (event) => isUnknown(event) || before[log.itemIndex[event]] === 0),
      actual: shareOf(cut, end, isUnknown),
    },
    unknownUsers: { expected: shareOf(from, cut, isNewUser), actual: shareOf(cut, end, isNewUser) },
    eventsPerDay: { expected: perDay(from, cut), actual: perDay(cut, end) },
  };
}

/** (events) how many earlier events the event's user has. */
function historyLengths(log: InteractionLog): Uint32Array {
  const perUser = new Uint32Array(log.users.size);
  return Uint32Array.from(log.userIndex, (user) => perUser[user]++);
}
