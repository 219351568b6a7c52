import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Redis } from "ioredis";
import Type from "typebox";
import { Compile } from "typebox/compile";
import { replaceFile } from "../storage/durable-file.ts";
import { watchChannel } from "../watch-channel.ts";
import { digestOf, idOfKey, isSameDigest } from "./api-key.ts";
import { ADMINISTRATOR, type Caller, callerOf } from "./caller.ts";
import { type KeyStore, redisKeyStore } from "./key-store.ts";
import { KeyRecord } from "./types.ts";

const Records = Compile(Type.Array(KeyRecord));

/** Longest that a lost message delays a change, milliseconds. */
const POLL_MS = 2000;
/** Longest that a start waits for its connection; without one it goes on with the keys of the last run. */
const CONNECT_PATIENCE_MS = 500;

export interface KeyRingOptions {
  readonly store: Pick<KeyStore, "all">;
  readonly adminKey: string;
  /** Where the records (hashes, no keys) are kept for a start while Redis is down. */
  readonly file: string;
}

/**
 * Every key in use, in the memory of a replica: looking one up asks nobody. A key made or revoked elsewhere is known
 * after one message, or one poll. Without Redis the last known keys go on working.
 */
export class KeyRing {
  readonly #store: Pick<KeyStore, "all">;
  readonly #adminDigest: Buffer;
  readonly #file: string;
  #records: ReadonlyMap<string, KeyRecord> = new Map();
  #origins: ReadonlySet<string> = new Set();
  #written = "";

  constructor({ store, adminKey, file }: KeyRingOptions) {
    this.#store = store;
    this.#adminDigest = digestOf(adminKey);
    this.#file = file;
  }

  /** Null for a key that is none of ours, revoked, or rotated away. */
  find(key: string, now: number): Caller | null {
    const digest = digestOf(key);
    if (isSameDigest(digest, this.#adminDigest)) return ADMINISTRATOR;
    const record = this.#records.get(idOfKey(key) ?? "");
    if (record === undefined) return null;
    const valid = record.secrets.some(
      ({ sha256, expiresAt }) =>
        isSameDigest(Buffer.from(sha256, "hex"), digest) && (expiresAt === null || now < expiresAt),
    );
    return valid ? callerOf(record) : null;
  }

  /** Keys in use beside the operator's own. */
  get size(): number {
    return this.#records.size;
  }

  /** Whether some publishable key is for this page: all that a browser's preflight, which carries no key, can ask. */
  allowsOrigin(origin: string): boolean {
    return this.#origins.has(origin);
  }

  async refresh(): Promise<void> {
    const records = (await this.#store.all()).filter(({ revokedAt }) => revokedAt === null);
    this.#take(records);
    const text = JSON.stringify(records);
    if (text === this.#written) return;
    await mkdir(dirname(this.#file), { recursive: true });
    await replaceFile(this.#file, text, 0o600);
    this.#written = text;
  }

  /** What the last run of this home knew. */
  async recall(): Promise<void> {
    try {
      const records: unknown = JSON.parse(await readFile(this.#file, "utf8"));
      if (Records.Check(records)) this.#take(records);
    } catch {
      // No file, or none that makes sense: a convenience, never an authority.
    }
  }

  #take(records: readonly KeyRecord[]): void {
    this.#records = new Map(records.map((record) => [record.id, record]));
    this.#origins = new Set(records.flatMap(({ origins }) => origins));
  }
}

/** Keeps a ring as the store is, from now until it is closed. */
export async function followKeys(
  redis: Redis,
  ring: KeyRing,
  onError: (error: unknown) => void,
): Promise<{ close(): Promise<void> }> {
  await ring.recall();
  if (redis.status !== "ready") {
    const ready = new Promise<void>((resolve) => {
      redis.once("ready", resolve);
    });
    await Promise.race([ready, pause(CONNECT_PATIENCE_MS, undefined, { ref: false })]);
  }
  const { channel } = redisKeyStore(redis);
  return watchChannel(redis, channel, () => ring.refresh(), { pollMs: POLL_MS, onError });
}
