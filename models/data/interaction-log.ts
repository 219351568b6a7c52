import type { ItemId, UserId } from "./ids.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** One thing a user did with an item. */
export interface Interaction {
  readonly itemId: ItemId;
  /** Epoch milliseconds. */
  readonly timestamp: number;
  /** Strength as logged: the rating where there is one, else 1. */
  readonly weight: number;
}

/**
 * The whole event table in stable time order (ties keep file order), one entry an event.
 * Column-wise, so that 20 million events stay 20 bytes each.
 */
export interface InteractionLog {
  readonly users: Vocabulary<UserId>;
  readonly items: Vocabulary<ItemId>;
  /** (events) dense user index. */
  readonly userIndex: Uint32Array;
  /** (events) dense item index. */
  readonly itemIndex: Uint32Array;
  /** (events) epoch milliseconds, non-decreasing. */
  readonly timestamps: Float64Array;
  /** (events) rating, or 1. */
  readonly weights: Float32Array;
}

export type AttributeValue = string | number | boolean | readonly string[];

/** When an item may stand in lists; what is absent bounds nothing. */
export interface Availability {
  /** False keeps it out whatever the times say. */
  readonly available?: boolean;
  /** Epoch milliseconds: from the first on, until before the second. */
  readonly from?: number;
  readonly until?: number;
}

/** What is known of an item besides who interacted with it. */
export interface ItemInfo {
  readonly title: string;
  readonly genres: readonly string[];
  readonly year?: number;
  /** Whatever else the site says of it, by name. */
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly availability?: Availability;
}

export type Catalogue = ReadonlyMap<ItemId, ItemInfo>;

/** Position of the first event after the first `fraction` of the events. */
export function cutPosition(log: InteractionLog, fraction: number): number {
  if (!(fraction > 0 && fraction < 1)) {
    throw new RangeError(`cut: expected a fraction between 0 and 1, got ${fraction}`);
  }
  return Math.round(log.timestamps.length * fraction);
}
