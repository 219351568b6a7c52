import type { UserId } from "../../models/data/ids.ts";
import { eventsBeyond, type LoggedEvent } from "../../models/data/imported-and-live.ts";
import type { Catalogue, InteractionLog } from "../../models/data/interaction-log.ts";
import { PhasewiseError } from "../../services/errors.ts";
import { withLogged } from "../../services/interactions/compaction.ts";
import { likeness } from "../../services/interactions/same-data.ts";
import {
  makeCurrent,
  pruneSnapshots,
  readImported,
  readSnapshot,
  type Snapshot,
  type SnapshotContent,
  writeImported,
  writeSnapshot,
} from "../../services/interactions/snapshot.ts";
import type { ByteStore } from "../../services/storage/byte-store.ts";

/** What an import does with what is there. */
export type ImportMode = "replace" | "append";

export interface ReplacedImport {
  /** What the import alone holds; its hash names the import. */
  readonly imported: Snapshot;
  readonly log: InteractionLog;
  readonly catalogue: Catalogue;
  /** Whether anything had been imported before. */
  readonly first: boolean;
  /** Users whom the import before had and this one has not. */
  readonly gone: readonly UserId[];
  /** Events of the import before that this one has not. */
  readonly removed: number;
  /** Events of this import that were not there before. */
  readonly added: number;
  /** Events that users did live, which stay. */
  readonly live: number;
}

/**
 * Puts an import in the place of the one before: the snapshot that models train on becomes the import and what users did
 * live since. With `append`, the import before stays too.
 * @throws CONFLICT when what is there is other data
 */
export async function replaceImport(
  store: ByteStore,
  log: InteractionLog,
  catalogue: Catalogue,
  mode: ImportMode,
): Promise<ReplacedImport> {
  const current = await readSnapshot(store);
  const before = current === null ? null : ((await readImported(store)) ?? current);
  if (before !== null && mode === "replace") refuseOtherData(before, log, catalogue, store);
  const whole =
    before !== null && mode === "append" ? withLogged(before.log, eventsBeyond(log, before.log)) : log;
  const titles =
    before !== null && mode === "append" ? new Map([...before.catalogue, ...catalogue]) : catalogue;
  const imported = await writeImported(whole, titles, store);
  const live: LoggedEvent[] =
    current === null || before === null || current.snapshot.sha256 === before.snapshot.sha256
      ? []
      : eventsBeyond(current.log, before.log);
  if (live.length === 0) await makeCurrent(imported, store);
  else await writeSnapshot(withLogged(whole, live), titles, store);
  await pruneSnapshots(store);
  const same = before?.snapshot.sha256 === imported.sha256;
  return {
    imported,
    log: whole,
    catalogue: titles,
    first: before === null,
    gone: before === null || same ? [] : before.log.users.ids.filter((user) => !whole.users.has(user)),
    removed: before === null || same ? 0 : eventsBeyond(before.log, whole).length,
    added: same ? 0 : before === null ? whole.timestamps.length : eventsBeyond(whole, before.log).length,
    live: live.length,
  };
}

/** Models of one catalogue say nothing about another, and would go on offering its items. */
function refuseOtherData(
  before: SnapshotContent,
  log: InteractionLog,
  catalogue: Catalogue,
  store: ByteStore,
): void {
  const { same, why } = likeness(before, log, catalogue);
  if (same) return;
  throw new PhasewiseError(
    "CONFLICT",
    `import: expected newer data of what ${store.place} holds (${before.log.items.size} items), got other data: ${why}. ` +
      "Give it a home of its own (PHASEWISE_HOME and PHASEWISE_PREFIX), add it with --append, or begin anew with " +
      "--replace, which forgets the ladder, the histories and the snapshots that are there",
    { items: before.log.items.size },
  );
}
