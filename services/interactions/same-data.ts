import type { InteractionLog } from "../../models/data/interaction-log.ts";
import type { SnapshotContent } from "./snapshot.ts";

/** Share of the smaller set of items that the larger must hold for both to be of one catalogue. */
const SHARE_SHARED = 0.5;

/** How an import compares with what an installation holds. */
export interface Likeness {
  readonly same: boolean;
  /** In words: what they have in common. */
  readonly why: string;
}

/**
 * Whether an import is of the data that is there already: most items of the smaller one occur in the other, under the
 * same titles where both have some. Small whole numbers are ids of everything, so titles decide where there are any.
 */
export function likeness(
  before: Pick<SnapshotContent, "log" | "catalogue">,
  log: InteractionLog,
  catalogue: SnapshotContent["catalogue"],
): Likeness {
  const [smaller, larger] =
    before.log.items.size <= log.items.size ? [before.log.items, log.items] : [log.items, before.log.items];
  const shared = smaller.ids.filter((id) => larger.has(id));
  let [titled, alike] = [0, 0];
  for (const id of shared) {
    const [old, given] = [before.catalogue.get(id)?.title, catalogue.get(id)?.title];
    if (old === undefined || given === undefined || old === id || given === id) continue;
    titled++;
    if (old === given) alike++;
  }
  const share = shared.length / Math.max(1, smaller.size);
  const titlesDiffer = titled > 0 && alike < SHARE_SHARED * titled;
  const percent = (part: number): string => `${Math.round(100 * part)} %`;
  return {
    same: share >= SHARE_SHARED && !titlesDiffer,
    why: titlesDiffer
      ? `${percent(1 - alike / titled)} of the items with the same id have another title`
      : `${percent(share)} of the items are the same`,
  };
}
