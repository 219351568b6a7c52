import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { artifactStore } from "../../../services/artifacts/artifact-store.ts";
import type { ArtifactStore } from "../../../services/artifacts/types.ts";
import { folderStore } from "../../../services/storage/folder-store.ts";
import { describeTiny, sha256, tinyModel } from "../../support/tiny-model.ts";

describe("the artifact store in a folder", () => {
  let folder: string;
  let store: ArtifactStore;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "phasewise-artifacts-"));
    store = artifactStore(folderStore(folder));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("a written model loads as the same model, with its manifest and attachments", async () => {
    const stored = await store.write(tinyModel(1), describeTiny, () => ({ "card.md": "# Popularité\n" }));
    const { version } = stored.manifest;
    const loaded = await store.load(version, stored.manifestSha256);
    assert.deepEqual(loaded.manifest, stored.manifest);
    assert.equal(loaded.manifestSha256, stored.manifestSha256);
    assert.deepEqual(loaded.model.items.ids, ["a", "b", "é-3"]);
    assert.deepEqual(loaded.model.arrays, tinyModel(1).arrays);
    assert.deepEqual(await store.manifest(version), stored);
    assert.equal(await readFile(join(folder, version, "card.md"), "utf8"), "# Popularité\n");
    assert.deepEqual((await readdir(join(folder, version))).sort(), [
      "SHA256SUMS",
      "card.md",
      "manifest.json",
      "model.safetensors",
    ]);
  });

  test("the version is the recipe and the hash of the arrays' file", async () => {
    const { manifest } = await store.write(tinyModel(2), describeTiny);
    const file = await readFile(join(folder, manifest.version, "model.safetensors"));
    assert.equal(manifest.version, `popularity-${sha256(file).slice(0, 12)}`);
    assert.equal(manifest.bytes, file.length);
  });

  test("writing the same content again is a no-op that keeps the first manifest", async () => {
    const first = await store.write(tinyModel(3), describeTiny);
    const again = await store.write(tinyModel(3), (file) => ({ ...describeTiny(file), createdAt: "later" }));
    assert.deepEqual(again, first);
  });

  test("concurrent writers of one version agree on one artifact", async () => {
    const writers = Array.from({ length: 8 }, (_, n) =>
      artifactStore(folderStore(folder)).write(tinyModel(4), (file) => ({
        ...describeTiny(file),
        createdAt: `${n}`,
      })),
    );
    const stored = await Promise.all(writers);
    for (const other of stored) assert.deepEqual(other, stored[0]);
    await store.load(stored[0].manifest.version, stored[0].manifestSha256);
    const hidden = (await readdir(folder)).filter((name) => name.startsWith("."));
    assert.deepEqual(hidden, []);
  });

  test("a manifest of another file or a bad attachment name is a defect, and nothing is written", async () => {
    const before = await readdir(folder);
    const lying = store.write(tinyModel(5), (file) => ({ ...describeTiny(file), bytes: 1 }));
    await assert.rejects(lying, /expected its manifest to describe/);
    for (const name of ["../x", "manifest.json", "SHA256SUMS"]) {
      await assert.rejects(
        store.write(tinyModel(5), describeTiny, () => ({ [name]: "" })),
        /attachment name/,
      );
    }
    assert.deepEqual(await readdir(folder), before);
  });

  test("no string but a version id reaches the file system", async () => {
    for (const bad of ["..", ".", "", "../x", "a/b", "A", "a\0", "a\n", "%2e%2e", "a".repeat(65)]) {
      await assert.rejects(store.load(bad), { code: "BAD_REQUEST" }, bad);
      await assert.rejects(store.manifest(bad), { code: "BAD_REQUEST" }, bad);
    }
    await assert.rejects(store.load("popularity-000000000000"), { code: "NOT_FOUND" });
  });

  test("a manifest other than the registered one is refused", async () => {
    const { manifest } = await store.write(tinyModel(6), describeTiny);
    await assert.rejects(store.load(manifest.version, "0".repeat(64)), { code: "ARTIFACT_REFUSED" });
  });

  test("what a dead writer left is swept, what a living one is writing is not", async () => {
    const dead = join(folder, ".writing-popularity-dead-00");
    const living = join(folder, ".writing-popularity-living-00");
    for (const path of [dead, living]) {
      await mkdir(path);
      await writeFile(join(path, "model.safetensors"), "half");
    }
    await utimes(dead, new Date(0), new Date(0));
    await store.write(tinyModel(7), describeTiny);
    const left = await readdir(folder);
    assert.ok(!left.includes(".writing-popularity-dead-00"));
    assert.ok(left.includes(".writing-popularity-living-00"));
    const listed = await folderStore(folder).list("");
    assert.deepEqual(
      listed.filter((name) => name.startsWith(".")),
      [],
    );
    await rm(living, { recursive: true });
  });
});
