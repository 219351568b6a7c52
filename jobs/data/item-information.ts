import type { ItemId } from "../../models/data/ids.ts";
import { popularityShares, selfInformation } from "../../models/evaluation/novelty.ts";
import { currentSnapshot, readSnapshot } from "../../services/interactions/snapshot.ts";
import type { ByteStore } from "../../services/storage/byte-store.ts";

/** Bits of surprise that an item is worth. */
export type ItemInformation = (item: ItemId) => number;

/** Self-information of items by their share of all events in the snapshot; read again when the snapshot changes. */
export function itemInformation(snapshots: ByteStore): () => Promise<ItemInformation> {
  let known: { readonly name: string | null; readonly information: Promise<ItemInformation> } | undefined;
  return async () => {
    const name = await currentSnapshot(snapshots);
    if (known === undefined || known.name !== name) known = { name, information: read(snapshots) };
    return known.information;
  };
}

async function read(snapshots: ByteStore): Promise<ItemInformation> {
  const content = await readSnapshot(snapshots);
  if (content === null) return () => 0;
  const { items, itemIndex } = content.log;
  const events = new Uint32Array(items.size);
  for (const item of itemIndex) events[item]++;
  return selfInformation(items, popularityShares(events));
}
