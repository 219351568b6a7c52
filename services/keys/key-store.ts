import type { Redis } from "ioredis";
import { PhasewiseError } from "../errors.ts";
import { luaScript } from "../lua-script.ts";
import { channelOf } from "../redis.ts";
import { fromStore, toStore } from "../store-errors.ts";
import { newKey, newKeyId, sha256Of } from "./api-key.ts";
import type { KeyOrder, KeyRecord, KeyView } from "./types.ts";

const KEYS = "keys";
const CHANNEL = "keys-changed";
/** More is a mistake of whoever makes them; every replica holds them all. */
const MOST_KEYS = 1000;

/**
 * KEYS  1 records by id (hash)
 * ARGV  1 id   2 the record as it was read, or "" for none   3 the record as it is to be   4 channel
 * RETURNS 1, or 0 when somebody changed it meanwhile: nothing was written
 */
const REPLACE_LUA = `
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('PUBLISH', ARGV[4], ARGV[1])
return 1`;

/** A key in clear, once: nobody can read it again. */
export interface MadeKey {
  readonly key: string;
  readonly view: KeyView;
}

export interface KeyStore {
  /** Revoked ones too: they name who sent what is kept. */
  all(): Promise<readonly KeyRecord[]>;
  create(order: KeyOrder, actor: string, now: number): Promise<MadeKey>;
  /** A new secret under the same id; the one before works for so many more seconds. @throws NOT_FOUND */
  rotate(id: string, overlapSeconds: number, now: number): Promise<MadeKey>;
  /** At once and for good; a repeat changes nothing. @throws NOT_FOUND */
  revoke(id: string, actor: string, now: number): Promise<KeyView>;
  /** Where changes are announced. */
  readonly channel: string;
}

export function redisKeyStore(redis: Redis): KeyStore {
  const channel = channelOf(redis, CHANNEL);
  const runReplace = luaScript(redis, REPLACE_LUA);
  const replace = async (before: string, after: KeyRecord): Promise<void> => {
    const args = [after.id, before, JSON.stringify(after), channel];
    if ((await toStore("write key", runReplace([KEYS], args))) === 1) return;
    throw new PhasewiseError(
      "CONFLICT",
      `key ${after.id}: expected it unchanged, but somebody changed it at the same time; list the keys and try again`,
    );
  };
  const read = async (id: string): Promise<string> => {
    const text = await fromStore("read key", redis.hget(KEYS, id));
    if (text !== null) return text;
    throw new PhasewiseError("NOT_FOUND", `id: expected the id of a key, got "${id}"; list the keys`, {
      field: "id",
    });
  };

  return {
    channel,
    async all() {
      const texts = await fromStore("read keys", redis.hvals(KEYS));
      return texts.map((text) => JSON.parse(text) as KeyRecord);
    },
    async create(order, actor, now) {
      if ((await fromStore("read keys", redis.hlen(KEYS))) >= MOST_KEYS) {
        throw new PhasewiseError("CONFLICT", `keys: expected fewer than ${MOST_KEYS}; rotate one instead`);
      }
      const id = newKeyId();
      const key = newKey(order.kind, id);
      const record: KeyRecord = {
        ...order,
        id,
        createdAt: new Date(now).toISOString(),
        createdBy: actor,
        rotatedAt: null,
        revokedAt: null,
        revokedBy: null,
        secrets: [{ sha256: sha256Of(key), expiresAt: null }],
      };
      await replace("", record);
      return { key, view: viewOf(record) };
    },
    async rotate(id, overlapSeconds, now) {
      const before = await read(id);
      const record = JSON.parse(before) as KeyRecord;
      if (record.revokedAt !== null) {
        throw new PhasewiseError("CONFLICT", `key ${id}: expected one in use, but it is revoked; create one`);
      }
      const key = newKey(record.kind, id);
      const [present] = record.secrets;
      const after: KeyRecord = {
        ...record,
        rotatedAt: new Date(now).toISOString(),
        secrets: [
          { sha256: sha256Of(key), expiresAt: null },
          ...(overlapSeconds > 0 ? [{ ...present, expiresAt: now + overlapSeconds * 1000 }] : []),
        ],
      };
      await replace(before, after);
      return { key, view: viewOf(after) };
    },
    async revoke(id, actor, now) {
      const before = await read(id);
      const record = JSON.parse(before) as KeyRecord;
      if (record.revokedAt !== null) return viewOf(record);
      const revokedAt = new Date(now).toISOString();
      const after: KeyRecord = { ...record, revokedAt, revokedBy: actor, secrets: [] };
      await replace(before, after);
      return viewOf(after);
    },
  };
}

export function viewOf({ secrets: _, ...view }: KeyRecord): KeyView {
  return view;
}
