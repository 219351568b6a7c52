import type { ItemId } from "../data/ids.ts";
import { type ClosedWindow, closedWindow, type WindowOptions } from "./attribution-window.ts";
import { ndcg } from "./ndcg.ts";

/** One request asked of both models in the shadow. */
export interface PairedLists {
  /** Entries the user's history held when the list was served. */
  readonly historyThrough: number;
  readonly k: number;
  /** Its place by hash among the user's requests: the smallest are judged. */
  readonly place: number;
  readonly challenger: readonly ItemId[];
  readonly baseline: readonly ItemId[];
}

/** An event of the user's, numbered by arrival. */
export interface AttributedEvent {
  readonly sequence: number;
  readonly itemId: ItemId;
  /** Epoch milliseconds. */
  readonly timestamp: number;
  /** Whether the user chose it from a list of ours. */
  readonly listDriven: boolean;
}

export interface AttributionOptions extends WindowOptions {
  /** Where the clock stood when the comparison was opened: what is older, however late it arrives, proves nothing. */
  readonly openedAt: number;
  /** At most this many of the user's following new items are relevant to a request. */
  readonly relevantEvents: number;
  /** A user's requests are sampled for this long from the first event after the first of them. */
  readonly periodMs: number;
  /** Requests of one user that count: a uniform sample of all in the period. */
  readonly maxRequests: number;
}

/** One user's contribution to a comparison, or why there is none (yet). */
export type Attribution =
  /** `until`: event time before which it stays open, whatever comes; null while nothing was done after a request. */
  | { readonly state: "open"; readonly early: number; readonly until: number | null }
  /** The window closed and no request was followed by anything new. */
  | { readonly state: "nothing-relevant"; readonly early: number }
  | {
      readonly state: "closed";
      /** Epoch milliseconds of event time: of the first event that counts, and of the window's end. */
      readonly firstAt: number;
      readonly closedAt: number;
      readonly challenger: number;
      readonly baseline: number;
      /** Sampled requests that were followed by something relevant; the figures are their means. */
      readonly joined: number;
      /** The others: followed by nothing relevant, or not in the sample. */
      readonly unanswered: number;
      /** Requests left out because the event after them is older than the comparison itself. */
      readonly early: number;
      readonly historyLength: number;
      /** Relevant events over all joined requests, and those of them chosen from a list of ours. */
      readonly events: number;
      readonly listDriven: number;
      /** What the user chose next, of each joined request. */
      readonly chosen: readonly (readonly ItemId[])[];
    };

/**
 * Joins a user's shadowed requests with what the user did next. Everything runs on event time, so a replay of
 * ten years in a minute closes its windows exactly as the ten years would have. Each request's relevant items
 * are the user's next new ones inside its window; the user's figure is the mean nDCG over a sample of the requests.
 * The user is judged when the period is over and the window of the last sampled request has closed.
 * A request whose next event is older than the comparison is early: it would date the period before the opening.
 * It is left out whatever the lists hold, so that an old event costs the one request it answered and no more.
 */
export function attribute(
  requests: readonly PairedLists[],
  events: readonly AttributedEvent[],
  options: AttributionOptions,
): Attribution {
  const asked = requests
    .map((request) => ({ request, next: nextAfter(request, events) }))
    .sort((a, b) => a.request.historyThrough - b.request.historyThrough);
  const timely = asked.filter(({ next }) => (next?.timestamp ?? options.openedAt) >= options.openedAt);
  const early = asked.length - timely.length;
  const firstAt = timely[0]?.next?.timestamp;
  if (firstAt === undefined) return { state: "open", early, until: null };
  const periodEnd = firstAt + options.periodMs;
  if (options.watermark < periodEnd) return { state: "open", early, until: periodEnd };

  const inPeriod = timely.filter(({ next }) => next === undefined || next.timestamp <= periodEnd);
  const joins: { readonly request: PairedLists; readonly window: ClosedWindow }[] = [];
  for (const { request, next } of smallestPlaces(inPeriod, options.maxRequests)) {
    // Nothing came after it in the whole period: unanswered.
    if (next === undefined) continue;
    const window = closedWindow(events, request.historyThrough, options);
    // Where windows may close early, by what the user does, each look must look again.
    const until = options.windowEvents > 0 ? options.watermark : next.timestamp + options.windowMs;
    if (window === null) return { state: "open", early, until };
    joins.push({ request, window });
  }

  let challenger = 0;
  let baseline = 0;
  let joined = 0;
  let eventCount = 0;
  let listDriven = 0;
  const chosen: ItemId[][] = [];
  for (const { request, window } of joins) {
    const relevant = nextNewEvents(events, request.historyThrough, window, options);
    if (relevant.length === 0) continue;
    const items = new Set(relevant.map((event) => event.itemId));
    challenger += ndcg(request.challenger, items, request.k);
    baseline += ndcg(request.baseline, items, request.k);
    joined++;
    chosen.push([...items]);
    eventCount += relevant.length;
    listDriven += relevant.filter((event) => event.listDriven).length;
  }
  if (joined === 0) return { state: "nothing-relevant", early };
  return {
    state: "closed",
    firstAt,
    closedAt: Math.max(periodEnd, ...joins.map(({ window }) => window.closesAt)),
    challenger: challenger / joined,
    baseline: baseline / joined,
    joined,
    unanswered: timely.length - joined,
    early,
    historyLength: timely[0].request.historyThrough,
    events: eventCount,
    listDriven,
    chosen,
  };
}

/** What a user did next after a request. */
export function nextAfter<Event extends { readonly sequence: number }>(
  { historyThrough }: Pick<PairedLists, "historyThrough">,
  events: readonly Event[],
): Event | undefined {
  return events.find(({ sequence }) => sequence > historyThrough);
}

/** The end of the time from which a user's requests are sampled; null before anything was done after the first. */
export function periodEndOf(
  requests: readonly Pick<PairedLists, "historyThrough">[],
  events: readonly { readonly sequence: number; readonly timestamp: number }[],
  { openedAt, periodMs }: Pick<AttributionOptions, "openedAt" | "periodMs">,
): number | null {
  const first = requests
    .toSorted((a, b) => a.historyThrough - b.historyThrough)
    .map((request) => nextAfter(request, events)?.timestamp ?? null)
    .find((at) => at === null || at >= openedAt);
  return first === undefined || first === null ? null : first + periodMs;
}

function smallestPlaces<T extends { readonly request: PairedLists }>(asked: readonly T[], size: number): T[] {
  return asked.toSorted((a, b) => a.request.place - b.request.place).slice(0, size);
}

function nextNewEvents(
  events: readonly AttributedEvent[],
  historyThrough: number,
  { closesAt, lastSequence }: ClosedWindow,
  { openedAt, relevantEvents }: AttributionOptions,
): AttributedEvent[] {
  const seen = new Set<ItemId>();
  const next: AttributedEvent[] = [];
  for (const event of events) {
    if (seen.has(event.itemId)) continue;
    if (event.sequence > lastSequence) break;
    const within = event.timestamp >= openedAt && event.timestamp <= closesAt;
    if (event.sequence > historyThrough && within) {
      next.push(event);
      if (next.length === relevantEvents) break;
    }
    seen.add(event.itemId);
  }
  return next;
}
