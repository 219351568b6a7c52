import type { ItemId } from "../../models/data/ids.ts";
import type { Catalogue, ItemInfo } from "../../models/data/interaction-log.ts";
import type { ItemFilter } from "../../models/recommender.ts";
import { PhasewiseError } from "../errors.ts";

export interface NamedItem {
  readonly title: string;
  readonly genres: readonly string[];
}

/**
 * Titles and genres for replies, and one long-lived filter object a genre: the recommender keeps a dense mask
 * for each filter object it has met, so the object must not be made anew per request.
 */
export class CatalogueIndex {
  readonly genres: readonly string[];
  readonly #items: Catalogue;
  #order: readonly ItemId[] | undefined;
  readonly #byGenre = new Map<string, ItemFilter>();

  constructor(items: Catalogue) {
    this.#items = items;
    const names = new Map<string, { name: string; members: Set<ItemId> }>();
    for (const [id, { genres }] of items) {
      for (const genre of genres) {
        const entry = names.get(genre.toLowerCase()) ?? { name: genre, members: new Set<ItemId>() };
        names.set(genre.toLowerCase(), entry);
        entry.members.add(id);
      }
    }
    for (const [key, { members }] of names) this.#byGenre.set(key, members);
    this.genres = Array.from(names.values(), ({ name }) => name).sort();
  }

  get size(): number {
    return this.#items.size;
  }

  get ids(): Iterable<ItemId> {
    return this.#items.keys();
  }

  /** Undefined for an item that nobody said anything of. */
  infoOf(item: ItemId): ItemInfo | undefined {
    return this.#items.get(item);
  }

  /** So many items from a place on, the imported ones first, then those added since, by id. */
  page(from: number, limit: number): readonly ItemId[] {
    this.#order ??= [...this.#items.keys()];
    return this.#order.slice(from, from + limit);
  }

  has(item: ItemId): boolean {
    return this.#items.has(item);
  }

  /** An item that the catalogue does not name goes by its id. */
  named(item: ItemId): NamedItem {
    return this.#items.get(item) ?? { title: item, genres: [] };
  }

  /** @throws BAD_REQUEST naming the genres there are */
  filterOf(genre: string, field: string): ItemFilter {
    const filter = this.#byGenre.get(genre.toLowerCase());
    if (filter === undefined) {
      throw new PhasewiseError(
        "BAD_REQUEST",
        `${field}: expected one of ${this.genres.join(", ") || "no genre (the catalogue names none)"}, got "${genre.slice(0, 64)}"`,
        { field, known: this.genres },
      );
    }
    return filter;
  }
}
