import type { Redis } from "ioredis";
import { PhasewiseError } from "../errors.ts";
import { channelOf } from "../redis.ts";
import { type Change, committer } from "../registry/commit.ts";
import { REGISTRY_KEYS, type Snapshot } from "../registry/snapshot.ts";
import type { AuditAction } from "../registry/types.ts";
import { fromStore } from "../store-errors.ts";
import { newKey, newKeyId, sha256Of } from "./api-key.ts";
import type { KeyOrder, KeyRecord, KeyView } from "./types.ts";

const KEYS = REGISTRY_KEYS.keys;
const CHANNEL = "keys-changed";
/** More is a mistake of whoever makes them; every replica holds them all. */
const MOST_KEYS = 1000;

/** A key in clear, once: nobody can read it again. */
export interface MadeKey {
  readonly key: string;
  readonly view: KeyView;
}

/** Every change and its entry in the audit are one commit of the registry: neither is ever there without the other. */
export interface KeyStore {
  /** Revoked ones too: they name who sent what is kept. */
  all(): Promise<readonly KeyRecord[]>;
  create(order: KeyOrder, actor: string, now: number): Promise<MadeKey>;
  /** A new secret under the same id; the one before works for so many more seconds. @throws NOT_FOUND, CONFLICT */
  rotate(id: string, overlapSeconds: number, actor: string, now: number): Promise<MadeKey>;
  /** At once and for good; a repeat changes nothing. @throws NOT_FOUND */
  revoke(id: string, actor: string, now: number): Promise<KeyView>;
  /** Where changes are announced. */
  readonly channel: string;
}

/** What becomes of a key, decided on what is stored of it. */
interface Decided {
  readonly action: Extract<AuditAction, `key-${string}`>;
  readonly record: KeyRecord;
  /** What the audit says besides the key's name. */
  readonly note?: string | undefined;
}

export function redisKeyStore(redis: Redis): KeyStore {
  const channel = channelOf(redis, CHANNEL);
  const commit = committer(redis);
  const read = async (id: string): Promise<KeyRecord> => {
    const text = await fromStore("read key", redis.hget(KEYS, id));
    if (text !== null) return JSON.parse(text) as KeyRecord;
    throw new PhasewiseError("NOT_FOUND", `id: expected the id of a key, got "${id}"; list the keys`, {
      field: "id",
    });
  };
  /**
   * Resolves to what was decided. `decide` reads what is stored after the registry's tip was read, so that a commit on
   * that tip holds for it too.
   */
  const change = async <D extends Decided | null>(
    attempt: string,
    { actor, now }: { readonly actor: string; readonly now: number },
    decide: () => Promise<D>,
  ): Promise<D> => {
    const { change: done } = await commit(attempt, async (snapshot) => {
      const decided = await decide();
      return decided === null ? null : { ...changeOf(snapshot, decided, actor, now), decided };
    });
    if (done === null) return null as D;
    // A message that is lost only delays what the next poll of a replica finds.
    await redis.publish(channel, attempt).catch(() => {});
    return done.decided;
  };

  return {
    channel,
    async all() {
      const texts = await fromStore("read keys", redis.hvals(KEYS));
      return texts.map((text) => JSON.parse(text) as KeyRecord);
    },
    async create(order, actor, now) {
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
      await change(`create key ${id}`, { actor, now }, async () => {
        if ((await fromStore("read keys", redis.hlen(KEYS))) >= MOST_KEYS) {
          throw new PhasewiseError("CONFLICT", `keys: expected fewer than ${MOST_KEYS}; rotate one instead`);
        }
        return { action: "key-create", record } as const;
      });
      return { key, view: viewOf(record) };
    },
    async rotate(id, overlapSeconds, actor, now) {
      const { kind } = await read(id);
      const key = newKey(kind, id);
      const { record } = await change(`rotate key ${id}`, { actor, now }, async () => {
        const before = await read(id);
        if (before.revokedAt !== null) {
          throw new PhasewiseError(
            "CONFLICT",
            `key ${id}: expected one in use, but it is revoked; create one`,
          );
        }
        const [present] = before.secrets;
        const secrets = [
          { sha256: sha256Of(key), expiresAt: null },
          ...(overlapSeconds > 0 ? [{ ...present, expiresAt: now + overlapSeconds * 1000 }] : []),
        ];
        const after = { ...before, rotatedAt: new Date(now).toISOString(), secrets };
        const note = `the secret before works for ${overlapSeconds} s`;
        return { action: "key-rotate", record: after, note } as const;
      });
      return { key, view: viewOf(record) };
    },
    async revoke(id, actor, now) {
      const decided = await change(`revoke key ${id}`, { actor, now }, async () => {
        const before = await read(id);
        if (before.revokedAt !== null) return null;
        const revokedAt = new Date(now).toISOString();
        return {
          action: "key-revoke",
          record: { ...before, revokedAt, revokedBy: actor, secrets: [] },
        } as const;
      });
      return viewOf(decided?.record ?? (await read(id)));
    },
  };
}

function changeOf(snapshot: Snapshot, { action, record, note }: Decided, actor: string, now: number): Change {
  const reason = [nameOf(record), ...(note === undefined ? [] : [note])].join(", ");
  const { live } = snapshot;
  const at = new Date(now).toISOString();
  const entry = { at, actor, action, version: live?.version ?? "", from: null, reason };
  return {
    entries: [{ ...entry, epoch: live?.epoch ?? 0, decisionId: null }],
    writes: [["keys", record.id, JSON.stringify(record)]],
  };
}

/** As the audit names a key. */
function nameOf({ id, name, kind, scopes, origins }: KeyView): string {
  const may = kind === "publishable" ? `publishable, on ${origins.join(", ")}` : scopes.join(", ");
  return `key ${id} "${name}" (${may})`;
}

export function viewOf({ secrets: _, ...view }: KeyRecord): KeyView {
  return view;
}
