import { createHash } from "node:crypto";
import { type ItemId, itemId, userId } from "../../models/data/ids.ts";
import type { Catalogue, InteractionLog, ItemInfo } from "../../models/data/interaction-log.ts";
import { Vocabulary } from "../../models/data/vocabulary.ts";
import { PhasewiseError } from "../errors.ts";
import type { ByteStore, Content } from "../storage/byte-store.ts";
import { readEventsParquet, writeEventsParquet } from "./events-parquet.ts";

/*
 * A snapshot is a group of files named after the SHA-256 of its content: events.parquet (dense indices, time order),
 * users.json, items.json (the vocabularies), catalogue.json, snapshot.json (what follows). The file `current` beside
 * it names the snapshot in force. A snapshot is written whole, and only then named by `current`, so a reader sees
 * the old one or the new one.
 */
export interface Snapshot {
  /** What the store calls it. */
  readonly name: string;
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
/** Names the snapshot of the last import alone, without what users did live since. */
const IMPORTED = "imported";
const EVENTS = "events.parquet";

/** Writes a snapshot and makes it the current one. */
export async function writeSnapshot(
  log: InteractionLog,
  catalogue: Catalogue,
  store: ByteStore,
): Promise<Snapshot> {
  const snapshot = await putSnapshot(log, catalogue, store);
  await makeCurrent(snapshot, store);
  return snapshot;
}

/** Models train on this snapshot from now on. */
export async function makeCurrent({ name }: Pick<Snapshot, "name">, store: ByteStore): Promise<void> {
  await store.replace(POINTER, Buffer.from(name));
}

/** Writes what an import alone holds, so that the next import knows what it replaces. The current one stays. */
export async function writeImported(
  log: InteractionLog,
  catalogue: Catalogue,
  store: ByteStore,
): Promise<Snapshot> {
  const snapshot = await putSnapshot(log, catalogue, store);
  await store.replace(IMPORTED, Buffer.from(snapshot.name));
  return snapshot;
}

async function putSnapshot(log: InteractionLog, catalogue: Catalogue, store: ByteStore): Promise<Snapshot> {
  const rows = log.timestamps.length;
  if (rows === 0) {
    throw new PhasewiseError(
      "INVALID_DATA",
      "snapshot: expected at least one event, got none; import data first",
    );
  }
  const sha256 = contentHash(log, catalogue);
  const snapshot: Snapshot = {
    name: `snapshot-${sha256.slice(0, 12)}`,
    rows,
    users: log.users.size,
    items: log.items.size,
    sha256,
    from: new Date(log.timestamps[0]).toISOString(),
    through: new Date(log.timestamps[rows - 1]).toISOString(),
  };
  if (!(await holdsSnapshot(store, snapshot))) {
    // Whatever stands at the final name failed the check: it is damaged.
    await store.remove(snapshot.name);
    await store.write(snapshot.name, filesOf(log, catalogue, snapshot));
  }
  return snapshot;
}

/** Whether this content is in the store already, undamaged. */
async function holdsSnapshot(store: ByteStore, { name, sha256 }: Snapshot): Promise<boolean> {
  try {
    return (await readGroup(store, name)).snapshot.sha256 === sha256;
  } catch {
    return false;
  }
}

function filesOf(log: InteractionLog, catalogue: Catalogue, snapshot: Snapshot): Map<string, Content> {
  const { name: _, ...description } = snapshot;
  const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
  return new Map<string, Content>([
    [EVENTS, (path) => writeEventsParquet(log, path)],
    ["users.json", json(log.users.ids)],
    ["items.json", json(log.items.ids)],
    ["catalogue.json", json([...catalogue])],
    ["snapshot.json", json(description)],
  ]);
}

/** Name of the snapshot in force, which changes with its content; null when there is none yet. */
export const currentSnapshot = (store: ByteStore): Promise<string | null> => named(store, POINTER);

async function named(store: ByteStore, pointer: string): Promise<string | null> {
  const name = await store.read(pointer);
  return name === null ? null : Buffer.from(name).toString("utf8");
}

/**
 * The current snapshot, checked against its hash; null when there is none yet.
 * @throws INVALID_DATA when it is damaged
 */
export const readSnapshot = (store: ByteStore): Promise<SnapshotContent | null> => checked(store, POINTER);

/** What the last import alone holds; null where a release before wrote it, which kept no such thing. */
export const readImported = (store: ByteStore): Promise<SnapshotContent | null> => checked(store, IMPORTED);

async function checked(store: ByteStore, pointer: string): Promise<SnapshotContent | null> {
  const name = await named(store, pointer);
  if (name === null) return null;
  try {
    return await readGroup(store, name);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PhasewiseError(
      "INVALID_DATA",
      `${name}: expected an undamaged snapshot, got: ${reason}; delete ${store.place} and import the data again`,
      { name },
      error,
    );
  }
}

async function readGroup(store: ByteStore, name: string): Promise<SnapshotContent> {
  const json = async (file: string): Promise<unknown> => {
    const bytes = await store.read(`${name}/${file}`);
    if (bytes === null) throw new RangeError(`no ${file}`);
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  };
  const snapshot: Snapshot = { ...((await json("snapshot.json")) as Omit<Snapshot, "name">), name };
  const users = new Vocabulary(((await json("users.json")) as string[]).map(userId));
  const items = new Vocabulary(((await json("items.json")) as string[]).map(itemId));
  const catalogue = new Map((await json("catalogue.json")) as [ItemId, ItemInfo][]);
  const events = await store.readLocally(`${name}/${EVENTS}`, (path) =>
    readEventsParquet(path, snapshot.rows),
  );
  const log = { users, items, ...events };
  const sha256 = contentHash(log, catalogue);
  if (sha256 !== snapshot.sha256)
    throw new RangeError(`content hash ${sha256} instead of ${snapshot.sha256}`);
  return { log, catalogue, snapshot };
}

/** Removes every snapshot but the current one and the last import's. Returns how many. */
export async function pruneSnapshots(store: ByteStore): Promise<number> {
  const kept = [await named(store, POINTER), await named(store, IMPORTED)];
  const stale = (await store.list("")).filter((name) => name.startsWith("snapshot-") && !kept.includes(name));
  for (const name of stale) await store.remove(name);
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
