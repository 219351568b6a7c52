import { MS_PER_DAY } from "./day.ts";
import type { EventColumns } from "./event-columns.ts";
import { emptyColumns } from "./event-columns.ts";
import type { Catalogue, InteractionLog } from "./interaction-log.ts";
import { orderedLog } from "./ordered-log.ts";
import { type Random, seededRandom } from "./random.ts";
import { GENRES, type SyntheticItems, syntheticItems } from "./synthetic-catalogue.ts";
import { TrendTables } from "./synthetic-trends.ts";

export interface SyntheticOptions {
  readonly seed: number;
  readonly users?: number | undefined;
  readonly items?: number | undefined;
  readonly events?: number | undefined;
}

const FIRST_YEAR = 2014;
const YEARS = 6;
const START_MS = Date.UTC(FIRST_YEAR, 0, 1);
const SPAN_MS = YEARS * 365.25 * MS_PER_DAY;

/** Events of one sitting, on average. */
const SESSION_EVENTS = 12;
/** Mean time a user stays with the service, days. */
const STAY_DAYS = 150;
/** Chance that the next event follows from the one before. */
const FOLLOW_CHANCE = 0.4;
/** Chance that a sitting stays with its genre from one event to the next. */
const STAY_IN_GENRE = 0.6;
/** Genres a user likes, and the share of sittings that start with one of them. */
const LIKED_GENRES = 3;
const LIKED_SHARE = 0.6;
/** Most of the catalogue one user gets through. */
const MAX_SHARE_SEEN = 1 / 3;
const MAX_DRAWS = 12;

/**
 * A made-up service with the structure that recommenders live on: appeal with a long tail, items that come
 * and fade, users who arrive over the years with lasting tastes, sittings that keep to a genre, and series
 * that are followed in order. So popular-lately beats popular, neighbours beat both, and order carries
 * information that a static factorization cannot see. Same options, same data.
 */
export function syntheticData(options: SyntheticOptions): { log: InteractionLog; catalogue: Catalogue } {
  const { seed, users = 600, items = 2_000, events = 80_000 } = options;
  const most = Math.floor(items * MAX_SHARE_SEEN);
  if (users < 1 || items < 30 || events < users || events > users * most) {
    throw new RangeError(
      `synthetic: expected at least 30 items and between 1 and ${most} events a user, got ${events} events, ${users} users, ${items} items`,
    );
  }
  const random = seededRandom(seed);
  const world = syntheticItems(items, FIRST_YEAR, YEARS, random);
  const trends = new TrendTables(world, GENRES.length);
  const columns = emptyColumns(events);
  const seenBy = new Int32Array(items).fill(-1);
  const counts = eventsPerUser(users, events, most, random);
  for (let user = 0; user < users; user++) {
    liveThrough(user, counts[user], world, trends, seenBy, columns, random);
  }
  const userIds = Array.from(counts, (_, user) => String(user + 1));
  return { log: orderedLog(columns, userIds, world.ids, false).log, catalogue: world.catalogue };
}

/** Log-normal activity scaled to sum to `events` exactly, between 1 and `most` each. */
function eventsPerUser(users: number, events: number, most: number, random: Random): Uint32Array {
  const activity = Float64Array.from({ length: users }, () => Math.exp(random.normal()));
  const total = activity.reduce((sum, value) => sum + value, 0);
  const counts = Uint32Array.from(activity, (value) =>
    Math.max(1, Math.min(most, Math.floor((events * value) / total))),
  );
  let left = events - counts.reduce((sum, value) => sum + value, 0);
  for (let user = 0; left !== 0; user = (user + 1) % users) {
    if (left > 0 && counts[user] < most) {
      counts[user]++;
      left--;
    } else if (left < 0 && counts[user] > 1) {
      counts[user]--;
      left++;
    }
  }
  return counts;
}

/** All sittings of one user, oldest first. */
function liveThrough(
  user: number,
  count: number,
  world: SyntheticItems,
  trends: TrendTables,
  seenBy: Int32Array,
  columns: EventColumns,
  random: Random,
): void {
  const arrival = random.next() * 0.97;
  const stay = Math.min(0.999 - arrival, (-Math.log(1 - random.next()) * STAY_DAYS * MS_PER_DAY) / SPAN_MS);
  const sessions = Math.ceil(count / SESSION_EVENTS);
  const starts = Float64Array.from({ length: sessions }, () => arrival + stay * random.next()).sort();
  starts[0] = arrival;
  const liked = Array.from({ length: LIKED_GENRES }, () => random.integer(GENRES.length));
  let time = 0;
  let previous = -1;
  for (let done = 0; done < count; done++) {
    const share = starts[Math.floor(done / SESSION_EVENTS)];
    const sitting = done % SESSION_EVENTS;
    if (sitting === 0) time = Math.max(time + 60_000, Math.round(START_MS + share * SPAN_MS));
    const stays = sitting > 0 && random.next() < STAY_IN_GENRE;
    const genre = stays ? world.cluster[previous] : startingGenre(liked, random);
    const follower = previous < 0 ? -1 : world.follower[previous];
    const follows = follower >= 0 && seenBy[follower] !== user && world.release[follower] <= share;
    const item =
      follows && random.next() < FOLLOW_CHANCE
        ? follower
        : unseen(user, genre, share, trends, seenBy, random);
    seenBy[item] = user;
    time += 1_000 * (20 + random.integer(280));
    const slot = columns.length++;
    columns.userIndex[slot] = user;
    columns.itemIndex[slot] = item;
    columns.timestamps[slot] = time;
    columns.weights[slot] = rating(world, item, liked.includes(world.cluster[item]), random);
    previous = item;
  }
}

const startingGenre = (liked: readonly number[], random: Random): number =>
  random.next() < LIKED_SHARE
    ? liked[Math.min(random.integer(4), LIKED_GENRES - 1)]
    : random.integer(GENRES.length);

function unseen(
  user: number,
  genre: number,
  share: number,
  trends: TrendTables,
  seenBy: Int32Array,
  random: Random,
): number {
  let wanted = genre;
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    const item = trends.draw(wanted, share, random);
    if (item >= 0 && seenBy[item] !== user) return item;
    // A genre that is nearly exhausted, or has nothing yet, sends the user elsewhere.
    if (draw >= MAX_DRAWS / 2) wanted = random.integer(GENRES.length);
  }
  let item = random.integer(seenBy.length);
  while (seenBy[item] === user) item = (item + 1) % seenBy.length;
  return item;
}

/** Half stars from 0.5 to 5: better for liked genres and for items of wide appeal. */
function rating(world: SyntheticItems, item: number, liked: boolean, random: Random): number {
  const stars = 3 + (liked ? 0.5 : 0) + 0.2 * Math.log(world.appeal[item]) + 0.8 * random.normal();
  return Math.min(5, Math.max(0.5, Math.round(stars * 2) / 2));
}
