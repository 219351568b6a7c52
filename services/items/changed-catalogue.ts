import type { ItemId } from "../../models/data/ids.ts";
import type { AttributeValue, Availability, Catalogue, ItemInfo } from "../../models/data/interaction-log.ts";
import type { ItemChange } from "./item-change.ts";
import type { ItemChanges } from "./item-changes.ts";

/** The imported catalogue as it was changed since. */
export function withChanges(catalogue: Catalogue, changes: ItemChanges): Catalogue {
  if (changes.size === 0) return catalogue;
  const changed = new Map(catalogue);
  for (const [id, change] of changes) {
    const before = catalogue.get(id);
    // Hiding what nobody knows makes it no item.
    if (before === undefined && saysOnlyWhen(change)) continue;
    changed.set(id, changedInfo(before ?? { title: id, genres: [] }, change));
  }
  return changed;
}

const WHEN: readonly string[] = ["available", "availableFrom", "availableUntil"];
const saysOnlyWhen = (change: ItemChange): boolean => Object.keys(change).every((key) => WHEN.includes(key));

function changedInfo(before: ItemInfo, change: ItemChange): ItemInfo {
  const { attributes: said, available: _, availableFrom: __, availableUntil: ___, ...plain } = change;
  const attributes = changedAttributes(before.attributes, said);
  const availability = changedAvailability(before.availability, change);
  const { attributes: ____, availability: _____, ...rest } = before;
  return {
    ...rest,
    ...plain,
    ...(attributes === undefined ? {} : { attributes }),
    ...(availability === undefined ? {} : { availability }),
  };
}

function changedAttributes(
  before: ItemInfo["attributes"],
  said: ItemChange["attributes"],
): ItemInfo["attributes"] {
  if (said === undefined) return before;
  const all = Object.entries({ ...before, ...said });
  const left = all.filter((entry): entry is [string, AttributeValue] => entry[1] !== null);
  return left.length === 0 ? undefined : Object.fromEntries(left);
}

function changedAvailability(
  before: Availability | undefined,
  { available, availableFrom, availableUntil }: ItemChange,
): Availability | undefined {
  if (available === undefined && availableFrom === undefined && availableUntil === undefined) return before;
  const from = availableFrom === undefined ? before?.from : availableFrom;
  const until = availableUntil === undefined ? before?.until : availableUntil;
  const is = available ?? before?.available;
  return {
    ...(is === undefined ? {} : { available: is }),
    ...(from === undefined || from === null ? {} : { from }),
    ...(until === undefined || until === null ? {} : { until }),
  };
}

/** Whether an item may stand in lists at a time, and when that changes next (infinity for never). */
export function availableAt(
  { available, from, until }: Availability,
  now: number,
): { readonly is: boolean; readonly until: number } {
  if (available === false) return { is: false, until: Number.POSITIVE_INFINITY };
  if (from !== undefined && now < from) return { is: false, until: from };
  if (until !== undefined && now >= until) return { is: false, until: Number.POSITIVE_INFINITY };
  return { is: true, until: until ?? Number.POSITIVE_INFINITY };
}

export interface Hidden {
  readonly items: ReadonlySet<ItemId>;
  /** When it changes by itself, epoch milliseconds; infinity for never. */
  readonly until: number;
}

/** Items that no list may hold at a time. */
export function hiddenItems(catalogue: Catalogue, changes: ItemChanges, now: number): Hidden {
  const items = new Set<ItemId>();
  let until = Number.POSITIVE_INFINITY;
  const look = (id: ItemId, availability: Availability | undefined): void => {
    if (availability === undefined) return;
    const at = availableAt(availability, now);
    if (!at.is) items.add(id);
    until = Math.min(until, at.until);
  };
  for (const [id, { availability }] of catalogue) {
    if (availability !== undefined && !changes.has(id)) look(id, availability);
  }
  for (const [id, change] of changes) look(id, changedAvailability(catalogue.get(id)?.availability, change));
  return { items, until };
}
