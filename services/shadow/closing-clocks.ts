import type { EventClocks } from "../interactions/event-clocks.ts";

/** Requests wait less than this before they are sent to the shadow, milliseconds. */
const SENT_WITHIN_MS = 2_000;
const NOT_YET: EventClocks = { live: null, recorded: null, liveSince: null };

export interface ClockSources {
  /** Event times reached. */
  clocks(): Promise<EventClocks>;
  /** When the oldest batch that is not worked off was added, epoch milliseconds; null when there is none. */
  oldestBatch(): Promise<number | null>;
  /** Epoch milliseconds. */
  now(): number;
}

/**
 * The clocks by which windows close: those of a moment whose requests the shadow has all worked off. Where recorded events
 * are played faster than the shadow asks its models, or the shadow is late, the present clocks would close windows while
 * requests of the same users still wait, and a user would be judged on the first of them only.
 */
export class ClosingClocks {
  #reached: EventClocks = NOT_YET;
  #next: { readonly clocks: EventClocks; readonly at: number } | null = null;

  async read(sources: ClockSources): Promise<EventClocks> {
    const at = sources.now();
    const clocks = await sources.clocks();
    const oldest = await sources.oldestBatch();
    if (oldest === null) {
      this.#reached = clocks;
      this.#next = null;
      return clocks;
    }
    if (this.#next !== null && oldest > this.#next.at + SENT_WITHIN_MS) {
      this.#reached = this.#next.clocks;
      this.#next = null;
    }
    this.#next ??= { clocks, at };
    return this.#reached;
  }
}
