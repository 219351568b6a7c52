import type { Redis } from "ioredis";
import Type, { type Static } from "typebox";
import { type ItemId, itemId } from "../../models/data/ids.ts";
import type { Catalogue, ItemInfo } from "../../models/data/interaction-log.ts";
import { fromStore, toStore } from "../store-errors.ts";

/** What was said of an item since the import: what it leaves out stays as it is. */
export const ItemChange = Type.Object(
  {
    title: Type.Optional(Type.String({ minLength: 1, maxLength: 1000, description: "the item's title" })),
    genres: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        maxItems: 50,
        description: "the item's genres",
      }),
    ),
    year: Type.Optional(Type.Integer({ minimum: -5000, maximum: 3000, description: "the year it appeared" })),
    available: Type.Optional(
      Type.Boolean({ description: "false to keep the item out of every list, true to let it back in" }),
    ),
  },
  { additionalProperties: false },
);
export type ItemChange = Readonly<Static<typeof ItemChange>>;

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
      return new Map(Object.entries(fields).map(([id, text]) => [itemId(id), parsed(text)]));
    },
    change: async (changes) => {
      if (changes.size === 0) return;
      const ids = [...changes.keys()];
      const before = await fromStore("read items", redis.hmget(CHANGES, ...ids));
      const fields = ids.flatMap((id, place) => [
        id,
        JSON.stringify({ ...parsed(before[place]), ...changes.get(id) }),
      ]);
      const writing = redis
        .multi()
        .hset(CHANGES, ...fields)
        .incr(VERSION);
      await toStore("change items", writing.exec());
    },
  };
}

/** The imported catalogue as it was changed since. */
export function withChanges(catalogue: Catalogue, changes: ItemChanges): Catalogue {
  if (changes.size === 0) return catalogue;
  const changed = new Map(catalogue);
  for (const [id, { available: _, ...said }] of changes) {
    if (Object.keys(said).length === 0) continue;
    const before: ItemInfo = catalogue.get(id) ?? { title: id, genres: [] };
    changed.set(id, { ...before, ...said });
  }
  return changed;
}

/** Items that no list may hold. */
export function hiddenItems(changes: ItemChanges): ReadonlySet<ItemId> {
  return new Set([...changes].flatMap(([id, { available }]) => (available === false ? [id] : [])));
}
