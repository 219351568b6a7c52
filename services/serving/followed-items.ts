import type { ItemId } from "../../models/data/ids.ts";
import { hiddenItems, withChanges } from "../items/changed-catalogue.ts";
import type { ItemChangeStore } from "../items/item-changes.ts";
import { again } from "../waiting.ts";
import type { CatalogueFile } from "./catalogue-file.ts";
import { CatalogueIndex } from "./catalogue-index.ts";

/** Changes take effect within this time in every replica, milliseconds. */
const FOLLOW_EVERY_MS = 250;

/** The imported catalogue and what was changed since, as this replica knows it: old news while Redis is away. */
export class FollowedItems {
  readonly #file: Pick<CatalogueFile, "current" | "items">;
  readonly #store: ItemChangeStore;
  readonly #onError: (error: unknown) => void;
  readonly #now: () => number;
  #following: { close(): void } | undefined;
  #version = -1;
  #changes: Awaited<ReturnType<ItemChangeStore["read"]>> = new Map();
  /** What the following was made from. */
  #base: CatalogueIndex | null = null;
  #current: CatalogueIndex;
  /** One object until it changes: the recommender keeps a mask for it. */
  #hidden: ReadonlySet<ItemId> | undefined;
  #hiddenUntil = Number.NEGATIVE_INFINITY;

  constructor(
    file: Pick<CatalogueFile, "current" | "items">,
    store: ItemChangeStore,
    onError: (error: unknown) => void,
    now: () => number = Date.now,
  ) {
    this.#file = file;
    this.#store = store;
    this.#onError = onError;
    this.#now = now;
    this.#current = file.current;
  }

  /** The items of now. */
  get current(): CatalogueIndex {
    if (this.#base !== this.#file.current) {
      this.#base = this.#file.current;
      this.#current =
        this.#changes.size === 0
          ? this.#base
          : new CatalogueIndex(withChanges(this.#file.items, this.#changes));
      this.#hiddenUntil = Number.NEGATIVE_INFINITY;
    }
    return this.#current;
  }

  /** Undefined while every item may be shown. */
  get hidden(): ReadonlySet<ItemId> | undefined {
    const now = this.#now();
    if (this.#base !== this.#file.current || now >= this.#hiddenUntil) {
      void this.current;
      const { items, until } = hiddenItems(this.#file.items, this.#changes, now);
      this.#hidden = items.size === 0 ? undefined : items;
      this.#hiddenUntil = until;
    }
    return this.#hidden;
  }

  start(): void {
    this.#following = again(FOLLOW_EVERY_MS, () => this.look(), this.#onError);
  }

  /** Looks whether anything has changed. @throws STORE_UNAVAILABLE */
  async look(): Promise<void> {
    const version = await this.#store.version();
    if (version === this.#version) return;
    this.#changes = await this.#store.read();
    this.#version = version;
    this.#base = null;
  }

  close(): void {
    this.#following?.close();
  }
}
