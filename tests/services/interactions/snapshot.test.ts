import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { itemId, userId } from "../../../models/data/ids.ts";
import { sliceLog } from "../../../models/data/slice.ts";
import { syntheticData } from "../../../models/data/synthetic.ts";
import { PhasewiseError } from "../../../services/errors.ts";
import { appendToSnapshot } from "../../../services/interactions/compaction.ts";
import { pruneSnapshots, readSnapshot, writeSnapshot } from "../../../services/interactions/snapshot.ts";
import type { FeedbackEvent } from "../../../services/interactions/types.ts";
import type { ByteStore } from "../../../services/storage/byte-store.ts";
import { folderStore } from "../../../services/storage/folder-store.ts";

const root = await mkdtemp(join(tmpdir(), "phasewise-snapshot-"));
after(() => rm(root, { recursive: true, force: true }));
const home = async (): Promise<ByteStore> => folderStore(await mkdtemp(join(root, "home-")));
const { log, catalogue } = syntheticData({ seed: 3, users: 40, items: 90, events: 900 });

const feedback = (eventId: string, user: string, item: string, timestamp?: number): FeedbackEvent => ({
  eventId,
  userId: userId(user),
  itemId: itemId(item),
  type: "watch",
  timestamp,
});

test("a snapshot gives the same log and catalogue back", async () => {
  const store = await home();
  const snapshot = await writeSnapshot(log, catalogue, store);
  assert.equal(snapshot.rows, 900);
  assert.equal(snapshot.through, new Date(log.timestamps[899]).toISOString());
  const read = await readSnapshot(store);
  assert.deepEqual(read, { log, catalogue, snapshot });
});

test("the hash depends on the content alone", async () => {
  const one = await writeSnapshot(log, catalogue, await home());
  const two = await writeSnapshot(log, new Map([...catalogue].reverse()), await home());
  assert.equal(one.sha256, two.sha256);
  const shorter = await writeSnapshot(sliceLog(log, 0, 899), catalogue, await home());
  assert.notEqual(shorter.sha256, one.sha256);
});

test("a folder without a snapshot reads as null", async () => {
  assert.equal(await readSnapshot(await home()), null);
});

test("a damaged snapshot is refused, and mended by writing it again", async () => {
  const store = await home();
  const { name } = await writeSnapshot(log, catalogue, store);
  const path = join(store.place, name);
  const refused = async (): Promise<void> =>
    assert.rejects(
      readSnapshot(store),
      (error) =>
        error instanceof PhasewiseError &&
        error.code === "INVALID_DATA" &&
        /import the data again/.test(error.message),
    );
  const events = join(path, "events.parquet");
  const bytes = await readFile(events);
  await truncate(events, bytes.length - 100);
  await refused();
  await writeFile(events, bytes);
  const users = join(path, "users.json");
  await writeFile(users, (await readFile(users, "utf8")).replace('"1"', '"one"'));
  await refused();
  await writeSnapshot(log, catalogue, store);
  assert.deepEqual((await readSnapshot(store))?.log, log);
});

test("appending puts events in their place in time, once", async () => {
  const store = await home();
  await writeSnapshot(log, catalogue, store);
  const middle = log.timestamps[450] + 1;
  const late = log.timestamps[899] + 5_000;
  const events = [feedback("a", "newcomer", "new-item", late), feedback("b", "1", "90", middle)];
  const first = await appendToSnapshot(store, events, { now: late, userEvents: 5000 });
  assert.equal(first.rows, 902);
  const again = await appendToSnapshot(store, events, { now: late, userEvents: 5000 });
  assert.equal(again.sha256, first.sha256);
  const read = await readSnapshot(store);
  assert.ok(read !== null);
  const position = read.log.timestamps.indexOf(middle);
  assert.equal(read.log.users.idAt(read.log.userIndex[position]), "1");
  assert.equal(read.log.items.idAt(read.log.itemIndex[901]), "new-item");
  assert.equal(read.catalogue.size, 90);
  assert.equal(await pruneSnapshots(store), 1);
  assert.deepEqual((await readdir(store.place)).sort(), ["current", `snapshot-${first.sha256.slice(0, 12)}`]);
});

test("an event without a time happened now, and counts as one where it has no rating", async () => {
  const store = await home();
  await writeSnapshot(log, catalogue, store);
  const now = log.timestamps[899] + 60_000;
  await appendToSnapshot(store, [feedback("a", "1", "2")], { now, userEvents: 5000 });
  const read = await readSnapshot(store);
  assert.equal(read?.log.timestamps.at(-1), now);
  assert.equal(read?.log.weights.at(-1), 1);
});

test("of one user no more than the limit comes in, the latest, however often the tail is given", async () => {
  const store = await home();
  await writeSnapshot(log, catalogue, store);
  const late = log.timestamps[899];
  const flood = Array.from({ length: 50 }, (_, n) => feedback(`f${n}`, "flooder", `item-${n}`, late + n));
  for (let time = 0; time < 2; time++) {
    const { rows } = await appendToSnapshot(store, flood, { now: late, userEvents: 10 });
    assert.equal(rows, 910);
  }
  const read = await readSnapshot(store);
  assert.deepEqual(
    [...(read?.log.timestamps.slice(-10) ?? [])],
    Array.from({ length: 10 }, (_, n) => late + 40 + n),
  );
});

test("a snapshot of nothing is refused", async () => {
  await assert.rejects(writeSnapshot(sliceLog(log, 0, 0), catalogue, await home()), /at least one event/);
  await assert.rejects(appendToSnapshot(await home(), [], { now: 0, userEvents: 1 }), /import data first/);
});
