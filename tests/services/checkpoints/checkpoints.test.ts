import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { checkpointsIn, type FitKey } from "../../../services/checkpoints/checkpoints.ts";
import { folderStore } from "../../../services/storage/folder-store.ts";

const KEY: FitKey = {
  dataSha256: "d".repeat(64),
  part: "all",
  recipe: "sasrec",
  params: { epochs: 3, reg: 0 },
  seed: 1,
};

let parent: string;
before(async () => {
  parent = await mkdtemp(join(tmpdir(), "checkpoints-"));
});
after(() => rm(parent, { recursive: true }));

test("each fit has a state of its own: the latest saved, none before and none after it is removed", async () => {
  const checkpoints = checkpointsIn(folderStore(join(parent, "of")));
  const store = checkpoints.of(KEY);
  assert.equal(await store.load(), null);
  await store.save(Uint8Array.of(1));
  await store.save(Uint8Array.of(2, 3));
  const sameInOtherOrder = { ...KEY, params: { reg: 0, epochs: 3 } };
  assert.deepEqual([...((await checkpoints.of(sameInOtherOrder).load()) ?? [])], [2, 3]);
  for (const other of [{ part: "holdout" }, { seed: 2 }, { params: { epochs: 4, reg: 0 } }] as const) {
    assert.equal(await checkpoints.of({ ...KEY, ...other }).load(), null);
  }
  await checkpoints.remove(KEY);
  assert.equal(await store.load(), null);
  await checkpoints.remove(KEY);
});

test("a fit that is removed leaves those of others, and the draft of a killed process is swept once it is old", async () => {
  const folder = join(parent, "drafts");
  const checkpoints = checkpointsIn(folderStore(folder));
  await checkpoints.of(KEY).save(Uint8Array.of(1));
  for (const draft of [".tmp-old", ".tmp-new"]) await writeFile(join(folder, draft), Uint8Array.of(1));
  await utimes(join(folder, ".tmp-old"), new Date(0), new Date(0));
  const other = { ...KEY, seed: 2 };
  await checkpoints.of(other).save(Uint8Array.of(2));
  await checkpoints.remove(KEY);
  const left = await readdir(folder);
  assert.deepEqual([left.includes(".tmp-old"), left.includes(".tmp-new"), left.length], [false, true, 2]);
  assert.deepEqual([...((await checkpoints.of(other).load()) ?? [])], [2]);
});

test("what was given up long ago is swept away, what is under way is not", async () => {
  const folder = join(parent, "sweep");
  const checkpoints = checkpointsIn(folderStore(folder));
  await checkpoints.sweep(Date.now());
  await checkpoints.of(KEY).save(Uint8Array.of(1));
  await checkpoints.sweep(Date.now());
  assert.equal((await readdir(folder)).length, 1);
  await checkpoints.sweep(Date.now() + 8 * 86_400_000);
  assert.deepEqual(await readdir(folder), []);
});
