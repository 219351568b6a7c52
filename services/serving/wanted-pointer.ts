import { isSamePointer, standingOf } from "../registry/lineage.ts";
import type { LivePointer } from "../registry/types.ts";

/** Redis has forgotten what it said was live. */
export interface RegistryLoss {
  /** What it says now; null when it says that nothing is live. */
  readonly says: LivePointer | null;
}

/**
 * Which pointer a replica follows: the newest that it has heard. Where Redis has lost that one, it stays with it until
 * the pointer moves again.
 */
export class WantedPointer {
  #wanted: LivePointer | null = null;
  #confirmed = false;
  #loss: RegistryLoss | null = null;

  get wanted(): LivePointer | null {
    return this.#wanted;
  }

  /** Whether the registry says so now; else it is this replica's own memory. */
  get confirmed(): boolean {
    return this.#confirmed;
  }

  get loss(): RegistryLoss | null {
    return this.#loss;
  }

  /** What a replica served before it started anew: Redis may have lost it meanwhile. */
  remember(pointer: LivePointer): void {
    this.#wanted ??= pointer;
  }

  /** Takes what was read. False when it is older than what is wanted: a late message, or a loss. */
  hear(read: LivePointer | null): boolean {
    const wanted = this.#wanted;
    if (wanted === null && read === null) return true;
    const standing = wanted === null ? "newer" : standingOf(read, wanted);
    // From nothing to an older one is a backup that was put back; a promotion would have begun a lineage.
    const says = this.#loss?.says ?? null;
    const movedSinceLoss = says !== null && !isSamePointer(read, says);
    if (read === null || (standing === "lost" && !movedSinceLoss)) return false;
    this.#wanted = read;
    this.#confirmed = true;
    this.#loss = null;
    return true;
  }

  /** It was read again, and still is older. True when this is news. */
  lose(read: LivePointer | null): boolean {
    const news = this.#loss === null;
    this.#confirmed = false;
    this.#loss = { says: read };
    return news;
  }
}
