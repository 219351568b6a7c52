import { setImmediate as breathe } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { UserId } from "../../models/data/ids.ts";
import { type ErasedUsers, erasedVersion, readErased } from "../interactions/erased-users.ts";
import { userDigest } from "../interactions/keys.ts";
import { again } from "../waiting.ts";

/** Users are forgotten within this time in every replica, milliseconds. */
const FOLLOW_EVERY_MS = 250;
/** Users looked at between two requests. */
const AT_ONCE = 1000;

/** A memory of users in this replica. */
export interface MemoryOfUsers {
  users(): Iterable<UserId>;
  forget(user: UserId): void;
}

/** Makes this replica forget users whom another one erased. Only digests of them are shared: each goes through its own. */
export class FollowedErasures {
  readonly #redis: Redis;
  readonly #memories: readonly MemoryOfUsers[];
  readonly #onError: (error: unknown) => void;
  #following: { close(): void } | undefined;
  #version = 0;
  #known: ErasedUsers = new Map();

  constructor(redis: Redis, memories: readonly MemoryOfUsers[], onError: (error: unknown) => void) {
    this.#redis = redis;
    this.#memories = memories;
    this.#onError = onError;
  }

  start(): void {
    this.#following = again(FOLLOW_EVERY_MS, () => this.look(), this.#onError);
  }

  /** Looks whether anybody was erased. @throws STORE_UNAVAILABLE */
  async look(): Promise<void> {
    const version = await erasedVersion(this.#redis);
    if (version === this.#version) return;
    const erased = await readErased(this.#redis);
    const gone = new Set(
      [...erased.keys()].filter((digest) => erased.get(digest) !== this.#known.get(digest)),
    );
    for (const memory of this.#memories) await forget(memory, gone);
    this.#known = erased;
    this.#version = version;
  }

  close(): void {
    this.#following?.close();
  }
}

async function forget(memory: MemoryOfUsers, gone: ReadonlySet<string>): Promise<void> {
  let looked = 0;
  for (const user of [...memory.users()]) {
    if (gone.has(userDigest(user))) memory.forget(user);
    if (++looked % AT_ONCE === 0) await breathe();
  }
}
