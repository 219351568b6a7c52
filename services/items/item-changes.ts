import type { Redis } from "ioredis";
import { type ItemId, itemId } from "../../models/data/ids.ts";
import { fromStore, toStore } from "../store-errors.ts";
import { both, type ItemChange } from "./item-change.ts";

export type ItemChanges = ReadonlyMap<ItemId, ItemChange>;

const CHANGES = "items";
const VERSION = "items:version";

/** Items as they were changed since the import, shared by all replicas and jobs. */
export interface ItemChangeStore {
  /** Grows with every change. */
  version(): Promise<number>;
  read(): Promise<ItemChanges>;
  /** Adds to what was said before of the same items. */
  change(changes: ItemChanges): Promise<void>;
}

export function redisItemChanges(redis: Redis): ItemChangeStore {
  const parsed = (text: string | null): ItemChange => (text === null ? {} : (JSON.parse(text) as ItemChange));
  return {
    version: async () => Number((await fromStore("read items", redis.get(VERSION))) ?? 0),
    read: async () => {
      const fields = await fromStore("read items", redis.hgetall(CHANGES));
      // Redis keeps no order: by id it is the same in every replica.
      const sorted = Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
      return new Map(sorted.map(([id, text]) => [itemId(id), parsed(text)]));
    },
    change: async (changes) => {
      if (changes.size === 0) return;
      const ids = [...changes.keys()];
      const before = await fromStore("read items", redis.hmget(CHANGES, ...ids));
      const fields = ids.flatMap((id, place) => [
        id,
        JSON.stringify(both(parsed(before[place]), changes.get(id) ?? {})),
      ]);
      const writing = redis
        .multi()
        .hset(CHANGES, ...fields)
        .incr(VERSION);
      await toStore("change items", writing.exec());
    },
  };
}
