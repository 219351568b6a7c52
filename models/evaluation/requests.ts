import { eventsByUser } from "../data/events-by-user.ts";
import type { ItemId, UserId } from "../data/ids.ts";
import type { Interaction, InteractionLog } from "../data/interaction-log.ts";
import { type Random, seededRandom, shuffle } from "../data/random.ts";
import type { Vocabulary } from "../data/vocabulary.ts";

/** One moment a user asks: what was known by then, and what the user then chose. */
export interface EvaluationRequest {
  readonly user: UserId;
  /** Everything the user did before, oldest first. */
  readonly history: readonly Interaction[];
  /** Distinct items, never empty, none of them in the history. */
  readonly relevant: readonly ItemId[];
}

/** Requests grouped by user, each user's in time order. */
export interface RequestSet {
  readonly requests: readonly EvaluationRequest[];
  /** Requests left out: nothing relevant can be recommended, or the history says nothing. */
  readonly dropped: number;
  /** Chosen items that could not have been recommended, over all requests looked at. */
  readonly coldTargets: number;
  /** Users with at least one request. */
  readonly users: number;
  /** Users among them without any history. */
  readonly coldUsers: number;
  /** Users that could have been asked, where only a sample of them was. */
  readonly sampledFrom?: number | undefined;
}

export interface PrequentialOptions {
  /** Position in the log of the first event that is replayed. */
  readonly from: number;
  /** Position of the first event that is not looked at any more (default: the end of the log). */
  readonly to?: number;
  /** Items a model trained before `from` may know. */
  readonly recommendable: Vocabulary<ItemId>;
  /** A seeded sample of a user's moments, so that heavy users do not cost most of the time (default 20). */
  readonly maxRequestsPerUser?: number;
  /** A seeded sample of the users with later events (default: all): more of them would only narrow the intervals. */
  readonly maxUsers?: number | undefined;
  /** How many of the user's next new items are looked at; those recommendable are relevant (default 10). */
  readonly relevantEvents?: number;
  readonly seed: number;
}

/**
 * Prequential protocol: every event from `from` on is a moment at which its user asks for a list, with the
 * history as of that moment. Relevant are those of the user's next `relevantEvents` new items (this one first)
 * that are recommendable. A user's very first event is no moment: there is nothing to ask from. In a window without events
 * nobody asks.
 * Source: Vinagre, Jorge & Gama, Evaluation of Recommender Systems in Streaming Environments, 2015.
 */
export function prequentialRequests(log: InteractionLog, options: PrequentialOptions): RequestSet {
  const { from, recommendable, maxRequestsPerUser = 20, relevantEvents = 10 } = options;
  const to = options.to ?? log.timestamps.length;
  if (!(from >= 0 && from <= to && to <= log.timestamps.length)) {
    throw new RangeError(
      `prequential: expected 0 ≤ from ≤ to ≤ ${log.timestamps.length}, got ${from} and ${to}`,
    );
  }
  const random = seededRandom(options.seed);
  const requests: EvaluationRequest[] = [];
  let dropped = 0;
  let coldTargets = 0;
  let users = 0;
  const { chosen, sampledFrom } = usersAsked(log, options, to);
  for (const events of eventsByUser(log, to)) {
    if (events.length === 0 || !chosen(log.userIndex[events[0]])) continue;
    const firstLater = events.findIndex((event) => event >= from);
    const moments = sampleRange(Math.max(1, firstLater), events.length, maxRequestsPerUser, random);
    const interactions = Array.from(events, (event) => interactionAt(log, event));
    const before = requests.length;
    for (const moment of moments) {
      const history = interactions.slice(0, moment);
      const next = nextNewItems(interactions, moment, relevantEvents);
      const relevant = next.filter((item) => recommendable.has(item));
      coldTargets += next.length - relevant.length;
      if (relevant.length === 0 || !history.some(({ itemId }) => recommendable.has(itemId))) dropped++;
      else requests.push({ user: log.users.idAt(log.userIndex[events[0]]), history, relevant });
    }
    if (requests.length > before) users++;
  }
  return { requests, dropped, coldTargets, users, coldUsers: 0, sampledFrom };
}

/** The users with events in the window, or a seeded sample of them. */
function usersAsked(
  log: InteractionLog,
  { from, maxUsers = Number.POSITIVE_INFINITY, seed }: PrequentialOptions,
  to: number,
): { chosen: (user: number) => boolean; sampledFrom: number | undefined } {
  const active = new Uint8Array(log.users.size);
  for (let event = from; event < to; event++) active[log.userIndex[event]] = 1;
  const users = Uint32Array.from(active.keys()).filter((user) => active[user] === 1);
  if (users.length <= maxUsers) return { chosen: (user) => active[user] === 1, sampledFrom: undefined };
  const left = shuffle(users.slice(), seededRandom(seed)).subarray(maxUsers);
  for (const user of left) active[user] = 0;
  return { chosen: (user) => active[user] === 1, sampledFrom: users.length };
}

/**
 * External split: each test user asks once, with all train rows as history; relevant are the test items that
 * are not among them. Targets no train row holds stay relevant (they lower recall honestly) and are counted.
 * Users without train rows stay in, so that a published table's user count is met.
 */
export function splitRequests(train: InteractionLog, test: InteractionLog): RequestSet {
  const histories = new Map<UserId, Interaction[]>();
  for (const events of eventsByUser(train, train.timestamps.length)) {
    if (events.length === 0) continue;
    const user = train.users.idAt(train.userIndex[events[0]]);
    histories.set(
      user,
      Array.from(events, (event) => interactionAt(train, event)),
    );
  }
  const trained = new Uint8Array(train.items.size);
  for (const item of train.itemIndex) trained[item] = 1;
  const isCold = (item: ItemId): boolean => trained[train.items.indexOf(item) ?? -1] !== 1;
  const requests: EvaluationRequest[] = [];
  let dropped = 0;
  let coldTargets = 0;
  let coldUsers = 0;
  for (const events of eventsByUser(test, test.timestamps.length)) {
    if (events.length === 0) continue;
    const user = test.users.idAt(test.userIndex[events[0]]);
    const history = histories.get(user) ?? [];
    const seen = new Set(history.map(({ itemId }) => itemId));
    const chosen = new Set(Array.from(events, (event) => test.items.idAt(test.itemIndex[event])));
    const relevant = [...chosen].filter((item) => !seen.has(item));
    coldTargets += relevant.filter(isCold).length;
    if (relevant.length === 0) {
      dropped++;
      continue;
    }
    if (history.length === 0) coldUsers++;
    requests.push({ user, history, relevant });
  }
  return { requests, dropped, coldTargets, users: requests.length, coldUsers };
}

function interactionAt(log: InteractionLog, event: number): Interaction {
  return {
    itemId: log.items.idAt(log.itemIndex[event]),
    timestamp: log.timestamps[event],
    weight: log.weights[event],
  };
}

/** The next `count` distinct items of interest from place `moment` on that do not occur before it. */
function nextNewItems(interactions: readonly Interaction[], moment: number, count: number): ItemId[] {
  const seen = new Set<ItemId>();
  for (let place = 0; place < moment; place++) {
    if (interactions[place].weight !== 0) seen.add(interactions[place].itemId);
  }
  const next: ItemId[] = [];
  for (let place = moment; place < interactions.length && next.length < count; place++) {
    const { itemId, weight } = interactions[place];
    if (seen.has(itemId) || weight === 0) continue;
    seen.add(itemId);
    if (weight > 0) next.push(itemId);
  }
  return next;
}

/** At most `size` of the integers start … end-1, drawn without replacement, ascending. */
function sampleRange(start: number, end: number, size: number, random: Random): number[] {
  const pool = Array.from({ length: Math.max(0, end - start) }, (_, offset) => start + offset);
  if (pool.length <= size) return pool;
  for (let slot = 0; slot < size; slot++) {
    const pick = slot + random.integer(pool.length - slot);
    [pool[slot], pool[pick]] = [pool[pick], pool[slot]];
  }
  return pool.slice(0, size).sort((a, b) => a - b);
}
