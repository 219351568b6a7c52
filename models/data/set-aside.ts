import { largestBurst } from "./burst.ts";
import { MS_PER_DAY } from "./day.ts";
import type { InteractionLog } from "./interaction-log.ts";
import { selectEvents } from "./slice.ts";

export interface Excluded {
  readonly users: number;
  readonly events: number;
}

/** What a training leaves out because of whom it comes from. */
export interface SetAside {
  /** Users with so many of the events that they would drown everybody else. */
  readonly floods: Excluded;
  /** Users who all appeared within one hour and would be a large part of those whom a model is judged by. */
  readonly bursts: Excluded;
  /** Events of users who have more than a training learns from, the oldest. */
  readonly overflow: Excluded;
}

export interface UserLimits {
  /** Events of one user, the latest, that are learned from. */
  readonly userEvents: number;
  /** Share of all events above which a user is set aside. */
  readonly largestUserShare: number;
  /** Share of the events, the latest, that a model is judged by. */
  readonly holdoutShare: number;
  /** Share of the users there that may have appeared within one hour. */
  readonly largestSourceShare: number;
  /** Fewer users than these are not judged by at all. */
  readonly minimumUsers: number;
}

/** Where there are few users, one of them may have this many times the mean. */
const MEANS_OF_A_FLOOD = 10;
/** Each costs a look at the whole log. */
const MOST_BURSTS = 24;

/**
 * The log without those who would decide it alone. Nobody is suspected for being active among few: a flood is beyond
 * the share *and* beyond ten times the mean. A burst is looked for in logs of more than a day, and is never everybody
 * in one.
 */
export function withoutSuspects(
  log: InteractionLog,
  limits: UserLimits,
): { readonly log: InteractionLog; readonly setAside: SetAside | null } {
  const perUser = eventsOfEach(log);
  const flood = floodLimit(log.timestamps.length, perUser, limits.largestUserShare);
  const floods = (user: number): boolean => perUser[user] > flood;
  const calm = perUser.some((_, user) => floods(user))
    ? selectEvents(log, (event) => !floods(log.userIndex[event]))
    : log;
  const known = withoutBursts(calm, limits);
  const kept = latestOfEach(known, limits.userEvents);
  if (kept === log) return { log, setAside: null };
  return {
    log: kept,
    setAside: { floods: between(log, calm), bursts: between(calm, known), overflow: between(known, kept) },
  };
}

/** The log with at most so many events of each user, the latest; the very same log where nobody has more. */
export function latestOfEach(
  log: InteractionLog,
  mostOf: number | ((user: number) => number),
): InteractionLog {
  const most = typeof mostOf === "number" ? () => mostOf : mostOf;
  const surplus = Int32Array.from(eventsOfEach(log), (events, user) => events - most(user));
  if (!surplus.some((events) => events > 0)) return log;
  const isKept = log.userIndex.map((user) => (surplus[user]-- > 0 ? 0 : 1));
  return selectEvents(log, (event) => isKept[event] === 1);
}

/** (users) events of each. */
export function eventsOfEach({ users, userIndex }: InteractionLog): Uint32Array {
  const perUser = new Uint32Array(users.size);
  for (const user of userIndex) perUser[user]++;
  return perUser;
}

function floodLimit(events: number, perUser: Uint32Array, largestShare: number): number {
  const active = perUser.reduce((count, own) => count + (own > 0 ? 1 : 0), 0);
  return Math.max(largestShare * events, (MEANS_OF_A_FLOOD * events) / Math.max(1, active));
}

/** One burst after the other: without the largest, the next may be too many among those who are left. */
function withoutBursts(log: InteractionLog, limits: UserLimits): InteractionLog {
  let left = log;
  for (let found = 0; found < MOST_BURSTS; found++) {
    const { userIndex } = left;
    const burst = burstOf(left, limits);
    if (burst.size === 0) break;
    left = selectEvents(left, (event) => !burst.has(userIndex[event]));
  }
  return left;
}

/** Users of the latest events who all appeared within one hour, where they are too many of them. */
function burstOf(log: InteractionLog, limits: UserLimits): ReadonlySet<number> {
  const { timestamps, userIndex, users } = log;
  const firstSeen = new Float64Array(users.size).fill(Number.NaN);
  for (let event = timestamps.length - 1; event >= 0; event--)
    firstSeen[userIndex[event]] = timestamps[event];
  const from = Math.floor(timestamps.length * (1 - limits.holdoutShare));
  const judged = [...new Set(userIndex.subarray(from))];
  const times = judged.map((user) => firstSeen[user]);
  const burst = largestBurst(times);
  const isAll = burst.length === firstSeen.filter((time) => !Number.isNaN(time)).length;
  const isShort = !(timestamps[timestamps.length - 1] - timestamps[0] > MS_PER_DAY);
  const tolerated = limits.largestSourceShare * Math.max(judged.length, limits.minimumUsers);
  if (isAll || isShort || burst.length <= tolerated) return new Set();
  return new Set(burst.map((position) => judged[position]));
}

function between(before: InteractionLog, after: InteractionLog): Excluded {
  if (before === after) return { users: 0, events: 0 };
  const left = eventsOfEach(after);
  const users = eventsOfEach(before).reduce(
    (count, events, user) => count + (events > left[user] ? 1 : 0),
    0,
  );
  return { users, events: before.timestamps.length - after.timestamps.length };
}
