import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ItemId, itemId, userId } from "../../models/data/ids.ts";
import type { Catalogue, InteractionLog, ItemInfo } from "../../models/data/interaction-log.ts";
import { Vocabulary } from "../../models/data/vocabulary.ts";
import { flush, replaceFile } from "../durable-file.ts";
import { PhasewiseError } from "../errors.ts";
import { readEventsParquet, writeEventsParquet } from "./events-parquet.ts";

/*
 * A snapshot is a folder named after the SHA-256 of its content: events.parquet (dense indices, time order),
 * users.json, items.json (the vocabularies), catalogue.json, snapshot.json (what follows). The file `current`
 * in the home folder names the snapshot in force. A snapshot is written into a temporary folder, flushed to
 * disk and renamed, and only then named by `current`, so a reader sees the old one or the new one, whole.
 */
export interface Snapshot {
  /** Folder that holds it. */
  readonly path: string;
  readonly rows: number;
  readonly users: number;
  readonly items: number;
  /** Of the content: ids, events and catalogue; the same content always has the same hash. */
  readonly sha256: string;
  /** ISO 8601 times of the first and the last event. */
  readonly from: string;
  readonly through: string;
}

export interface SnapshotContent {
  readonly log: InteractionLog;
  readonly catalogue: Catalogue;
  readonly snapshot: Snapshot;
}

const POINTER = "current";

/** Writes a snapshot under `home` and makes it the current one. */
export async function writeSnapshot(
  log: InteractionLog,
  catalogue: Catalogue,
  home: string,
): Promise<Snapshot> {
  const rows = log.timestamps.length;
  if (rows === 0) {
    throw new PhasewiseError(
      "INVALID_DATA",
      "snapshot: expected at least one event, got none; import data first",
    );
  }
  const sha256 = contentHash(log, catalogue);
  const name = `snapshot-${sha256.slice(0, 12)}`;
  const snapshot: Snapshot = {
    path: join(home, name),
    rows,
    users: log.users.size,
    items: log.items.size,
    sha256,
    from: new Date(log.timestamps[0]).toISOString(),
    through: new Date(log.timestamps[rows - 1]).toISOString(),
  };
  await mkdir(home, { recursive: true });
  if (!(await holdsSnapshot(snapshot))) {
    const temporary = join(home, `.tmp-${randomUUID()}`);
    try {
      await writeFiles(temporary, log, catalogue, snapshot);
      // Whatever stands at the final name failed the check above: it is damaged.
      await rm(snapshot.path, { recursive: true, force: true });
      await rename(temporary, snapshot.path);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }
  await point(home, name);
  return snapshot;
}

/** Whether these bytes are on disk already, undamaged. */
async function holdsSnapshot(snapshot: Snapshot): Promise<boolean> {
  try {
    return (await readFolder(snapshot.path)).snapshot.sha256 === snapshot.sha256;
  } catch {
    return false;
  }
}

async function writeFiles(
  folder: string,
  log: InteractionLog,
  catalogue: Catalogue,
  snapshot: Snapshot,
): Promise<void> {
  await mkdir(folder);
  await writeEventsParquet(log, join(folder, "events.parquet"));
  const { path: _, ...description } = snapshot;
  const files = {
    "users.json": log.users.ids,
    "items.json": log.items.ids,
    "catalogue.json": [...catalogue],
    "snapshot.json": description,
  };
  for (const [name, content] of Object.entries(files))
    await writeFile(join(folder, name), JSON.stringify(content));
  for (const name of [...Object.keys(files), "events.parquet", "."]) await flush(join(folder, name));
}

async function point(home: string, name: string): Promise<void> {
  await replaceFile(join(home, POINTER), name);
  await flush(home);
}

/** Name of the snapshot in force, which changes with its content; null when there is none yet. */
export async function currentSnapshot(home: string): Promise<string | null> {
  try {
    return await readFile(join(home, POINTER), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/**
 * The current snapshot of `home`, checked against its hash; null when there is none yet.
 * @throws INVALID_DATA when it is damaged
 */
export async function readSnapshot(home: string): Promise<SnapshotContent | null> {
  const name = await currentSnapshot(home);
  if (name === null) return null;
  const path = join(home, name);
  try {
    return await readFolder(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PhasewiseError(
      "INVALID_DATA",
      `${path}: expected an undamaged snapshot, got: ${reason}; delete ${home} and import the data again`,
      { path },
      error,
    );
  }
}

async function readFolder(path: string): Promise<SnapshotContent> {
  const json = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(path, name), "utf8"));
  const snapshot: Snapshot = { ...((await json("snapshot.json")) as Omit<Snapshot, "path">), path };
  const users = new Vocabulary(((await json("users.json")) as string[]).map(userId));
  const items = new Vocabulary(((await json("items.json")) as string[]).map(itemId));
  const catalogue = new Map((await json("catalogue.json")) as [ItemId, ItemInfo][]);
  const log = { users, items, ...(await readEventsParquet(join(path, "events.parquet"), snapshot.rows)) };
  const sha256 = contentHash(log, catalogue);
  if (sha256 !== snapshot.sha256)
    throw new RangeError(`content hash ${sha256} instead of ${snapshot.sha256}`);
  return { log, catalogue, snapshot };
}

/** Removes every snapshot of `home` but the current one, and what an interrupted write left behind. */
export async function pruneSnapshots(home: string): Promise<number> {
  const current = await readFile(join(home, POINTER), "utf8");
  const stale = (await readdir(home)).filter((name) => /^(snapshot-|\.tmp-)/.test(name) && name !== current);
  for (const name of stale) await rm(join(home, name), { recursive: true, force: true });
  return stale.length;
}

function contentHash(log: InteractionLog, catalogue: Catalogue): string {
  const hash = createHash("sha256").update("phasewise snapshot 1\n");
  const sorted = [...catalogue].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  for (const text of [log.users.ids, log.items.ids, sorted]) hash.update(`${JSON.stringify(text)}\n`);
  for (const array of [log.userIndex, log.itemIndex, log.timestamps, log.weights]) {
    hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  }
  return hash.digest("hex");
}
