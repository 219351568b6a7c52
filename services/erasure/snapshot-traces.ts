import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { UserId } from "../../models/data/ids.ts";
import type { InteractionLog } from "../../models/data/interaction-log.ts";
import { withoutUser } from "../../models/data/without-user.ts";
import {
  pruneSnapshots,
  readImported,
  readSnapshot,
  type SnapshotContent,
  writeImported,
  writeSnapshot,
} from "../interactions/snapshot.ts";
import type { ByteStore } from "../storage/byte-store.ts";

/**
 * Writes the snapshot that models train on, and the last import, without a user, and removes what they replace. Returns
 * the events removed from the former. A log that would be left empty stays, for there is no snapshot of nothing: then
 * the user was the only one, and the home itself is what to delete.
 */
export async function forgetInSnapshots(store: ByteStore, user: UserId): Promise<number> {
  const removed = await rewritten(await readSnapshot(store), user, (log, { catalogue }) =>
    writeSnapshot(log, catalogue, store),
  );
  await rewritten(await readImported(store), user, (log, { catalogue }) =>
    writeImported(log, catalogue, store),
  );
  await pruneSnapshots(store);
  return removed;
}

async function rewritten(
  content: SnapshotContent | null,
  user: UserId,
  write: (log: InteractionLog, content: SnapshotContent) => Promise<unknown>,
): Promise<number> {
  if (content === null || !content.log.users.has(user)) return 0;
  const log = withoutUser(content.log, user);
  if (log.timestamps.length === 0) return 0;
  await write(log, content);
  return content.log.timestamps.length - log.timestamps.length;
}

/** Snapshots of ladders that were replaced hold users too. Returns the folders whose snapshots were removed. */
export async function forgetReplaced(stateFolder: string): Promise<readonly string[]> {
  const names = await readdir(stateFolder).catch(() => []);
  const replaced = names.filter((name) => name.startsWith("replaced-"));
  for (const name of replaced)
    await rm(join(stateFolder, name, "snapshot"), { recursive: true, force: true });
  return replaced;
}
