import { readFileSync } from "node:fs";
import { itemId, userId } from "../../models/data/ids.ts";
import type { InteractionLog } from "../../models/data/interaction-log.ts";
import { Vocabulary } from "../../models/data/vocabulary.ts";

export interface Event {
  readonly user: string;
  readonly item: string;
  readonly at: number;
  readonly weight?: number;
}

/** A log from hand-written events; sorted by time, ties keep their order. */
export function logOf(events: readonly Event[]): InteractionLog {
  const sorted = [...events].sort((a, b) => a.at - b.at);
  const users = new Vocabulary([...new Set(sorted.map(({ user }) => userId(user)))]);
  const items = new Vocabulary([...new Set(sorted.map(({ item }) => itemId(item)))]);
  return {
    users,
    items,
    userIndex: Uint32Array.from(sorted, ({ user }) => users.indexOf(userId(user)) ?? 0),
    itemIndex: Uint32Array.from(sorted, ({ item }) => items.indexOf(itemId(item)) ?? 0),
    timestamps: Float64Array.from(sorted, ({ at }) => at),
    weights: Float32Array.from(sorted, ({ weight }) => weight ?? 1),
  };
}

/** `user:item` pairs in time order, one millisecond apart: "u:a u:b v:a". */
export function logOfPairs(pairs: string): InteractionLog {
  const events = pairs.split(/\s+/).map((pair, at) => {
    const [user, item] = pair.split(":");
    return { user, item, at };
  });
  return logOf(events);
}

/** ratings.csv of a MovieLens folder: userId,movieId,rating,timestamp in seconds. */
export function movieLensLog(folder: string): InteractionLog {
  const [, ...lines] = readFileSync(`${folder}/ratings.csv`, "utf8").split(/\r?\n/);
  const rows = lines.filter((line) => line !== "").map((line) => line.split(","));
  return logOf(
    rows.map(([user, item, rating, seconds]) => ({
      user,
      item,
      weight: Number(rating),
      at: Number(seconds) * 1000,
    })),
  );
}
