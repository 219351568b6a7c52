import type { Redis } from "ioredis";
import { CHANGES_KEPT_MS, changedHistories } from "../interactions/changed-histories.ts";
import { again } from "../waiting.ts";
import type { Histories } from "./histories.ts";

/** Pause between two looks, milliseconds. */
const LOOK_EVERY_MS = 200;

/**
 * Keeps a replica's memory of histories as the store is: what changed there, whoever changed it, is read again at the next
 * request. While the store does not answer nothing is confirmed, and memory is not believed.
 */
export class FollowedHistories {
  readonly #redis: Redis;
  readonly #histories: Pick<Histories, "changed" | "allChanged" | "confirm">;
  readonly #onError: (error: unknown) => void;
  #following: { close(): void } | undefined;
  #through: string | null | undefined;
  #lookedAt = 0;

  constructor(
    redis: Redis,
    histories: Pick<Histories, "changed" | "allChanged" | "confirm">,
    onError: (error: unknown) => void,
  ) {
    this.#redis = redis;
    this.#histories = histories;
    this.#onError = onError;
  }

  start(): void {
    this.#following = again(LOOK_EVERY_MS, () => this.look(), this.#onError);
  }

  /** @throws STORE_UNAVAILABLE */
  async look(): Promise<void> {
    const startedAt = performance.now();
    const { through, users } = await changedHistories(this.#redis, this.#through);
    if (users === null || startedAt - this.#lookedAt > CHANGES_KEPT_MS) this.#histories.allChanged();
    else for (const user of users) this.#histories.changed(user);
    this.#through = through;
    this.#lookedAt = startedAt;
    this.#histories.confirm(startedAt);
  }

  close(): void {
    this.#following?.close();
  }
}
