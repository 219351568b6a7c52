import { type ItemId, itemId, type UserId, userId } from "../../../models/data/ids.ts";
import type { Interaction, InteractionLog } from "../../../models/data/interaction-log.ts";
import { type TrainingSet, trainingSet } from "../../../models/data/interaction-matrix.ts";
import { seededRandom } from "../../../models/data/random.ts";
import { Vocabulary } from "../../../models/data/vocabulary.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2020, 0, 1);

/** A log from `[user, item]` pairs in time order, an hour apart. */
export function logOf(events: readonly (readonly [string, string])[]): InteractionLog {
  const users = new Vocabulary<UserId>([...new Set(events.map(([user]) => userId(user)))]);
  const items = new Vocabulary<ItemId>([...new Set(events.map(([, item]) => itemId(item)))]);
  return {
    users,
    items,
    userIndex: Uint32Array.from(events, ([user]) => users.indexOf(userId(user)) ?? 0),
    itemIndex: Uint32Array.from(events, ([, item]) => items.indexOf(itemId(item)) ?? 0),
    timestamps: Float64Array.from(events, (_, position) => START_MS + position * HOUR_MS),
    weights: new Float32Array(events.length).fill(1),
  };
}

/** A training set from each user's items, oldest first. Users take turns, so that times interleave. */
export function trainingSetOf(rows: Readonly<Record<string, readonly string[]>>): TrainingSet {
  const longest = Math.max(...Object.values(rows).map((row) => row.length));
  const events: [string, string][] = [];
  for (let turn = 0; turn < longest; turn++) {
    for (const [user, row] of Object.entries(rows)) if (turn < row.length) events.push([user, row[turn]]);
  }
  return trainingSet(logOf(events), new Map());
}

export function historyOf(...items: readonly string[]): Interaction[] {
  return items.map((item, position) => ({
    itemId: itemId(item),
    timestamp: START_MS + position * HOUR_MS,
    weight: 1,
  }));
}

/** Users × items drawn at random, each pair with probability `density`; every row in a random order of items. */
export function randomTrainingSet(seed: number, users: number, items: number, density: number): TrainingSet {
  const random = seededRandom(seed);
  const rows: Record<string, string[]> = {};
  for (let user = 0; user < users; user++) {
    const row = Array.from({ length: items }, (_, item) => `i${item}`).filter(() => random.next() < density);
    rows[`u${user}`] = row.length > 0 ? row.sort(() => random.next() - 0.5) : ["i0"];
  }
  return trainingSetOf(rows);
}

/** X (users × items) as plain rows of 0 and 1. */
export function denseRows({ interactions }: TrainingSet): number[][] {
  const { users, items, rowStarts, columns } = interactions;
  return Array.from({ length: users.size }, (_, user) => {
    const row = new Array<number>(items.size).fill(0);
    for (let slot = rowStarts[user]; slot < rowStarts[user + 1]; slot++) row[columns[slot]] = 1;
    return row;
  });
}
