import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { artifactStore } from "../../../services/artifacts/artifact-store.ts";
import { PhasewiseError } from "../../../services/errors.ts";
import { type ByteStore, within } from "../../../services/storage/byte-store.ts";
import { folderStore } from "../../../services/storage/folder-store.ts";
import { memoryStore } from "../../support/memory-store.ts";
import { describeTiny, tinyModel } from "../../support/tiny-model.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const textOf = (content: Uint8Array | null): string | null =>
  content === null ? null : Buffer.from(content).toString();

/** Every store keeps these promises: add yours to the list. */
const STORES: Readonly<Record<string, (folder: string) => ByteStore>> = {
  "a folder": (folder) => folderStore(join(folder, "not-there-yet")),
  "a part of a folder": (folder) => within(folderStore(folder), "part"),
  memory: () => memoryStore(),
};

for (const [name, open] of Object.entries(STORES)) {
  describe(`the byte store in ${name}`, () => {
    let folder: string;
    let store: ByteStore;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "phasewise-store-"));
      store = open(folder);
    });
    after(() => rm(folder, { recursive: true, force: true }));

    it("holds nothing at first, and says so of every name", async () => {
      assert.deepEqual(await store.list(""), []);
      assert.equal(await store.find("a/file"), null);
      assert.equal(await store.read("a/file"), null);
      await store.remove("a");
      await assert.rejects(
        store.readLocally("a/file", async () => {}),
        (error) => error instanceof PhasewiseError && error.code === "NOT_FOUND",
      );
    });

    it("gives back what was put into a group, with its sizes", async () => {
      const files = new Map([
        ["one", bytes("1")],
        ["empty", bytes("")],
      ]);
      assert.equal(await store.write("group", files), true);
      assert.equal(textOf(await store.read("group/one")), "1");
      assert.equal((await store.find("group/one"))?.bytes, 1);
      assert.equal((await store.find("group/empty"))?.bytes, 0);
      assert.deepEqual(await store.list("group"), ["empty", "one"]);
      assert.deepEqual(await store.list(""), ["group"]);
      assert.equal(await store.find("group"), null, "a group is no file");
    });

    it("never changes a group that is there", async () => {
      assert.equal(await store.write("group", new Map([["two", bytes("2")]])), false);
      assert.deepEqual(await store.list("group"), ["empty", "one"]);
    });

    it("lets one of several writers win, whole", async () => {
      const writers = ["a", "b", "c", "d", "e"].map((text) =>
        store.write("race", new Map(["x", "y"].map((file) => [file, bytes(text)]))),
      );
      const won = await Promise.all(writers);
      assert.equal(won.filter(Boolean).length, 1);
      const [x, y] = [await store.read("race/x"), await store.read("race/y")];
      assert.deepEqual([textOf(x), textOf(y)], Array(2).fill("abcde"[won.indexOf(true)]));
    });

    it("takes a file from a library that writes to a path, and shows it to one that reads there", async () => {
      const content = (path: string): Promise<void> => writeFile(path, "by a library");
      assert.equal(await store.write("local", new Map([["file", content]])), true);
      assert.equal(await store.readLocally("local/file", (path) => readFile(path, "utf8")), "by a library");
    });

    it("puts nothing when what writes a file fails", async () => {
      const failing = async (path: string): Promise<void> => {
        await writeFile(path, "half");
        throw new Error("the library failed");
      };
      const files = new Map([
        ["sound", (path: string) => writeFile(path, "whole")],
        ["failing", failing],
      ]);
      await assert.rejects(store.write("failed", files), /the library failed/);
      assert.equal((await store.list("")).includes("failed"), false);
    });

    it("replaces a file, which then has another mark", async () => {
      await store.replace("current", bytes("first"));
      const first = await store.find("current");
      await store.replace("current", bytes("other"));
      assert.equal(textOf(await store.read("current")), "other");
      assert.notEqual((await store.find("current"))?.mark, first?.mark);
      assert.ok(Math.abs(Date.now() - (first?.writtenAtMs ?? 0)) < 60_000);
    });

    it("removes a file, and a group with all in it", async () => {
      await store.remove("current");
      await store.remove("race");
      assert.equal(await store.read("race/x"), null);
      assert.deepEqual(await store.list(""), ["group", "local"]);
      assert.equal(await store.write("race", new Map([["x", bytes("again")]])), true);
    });

    it("holds artifacts that load as what was written", async () => {
      const artifacts = artifactStore(within(store, "artifacts"));
      const stored = await artifacts.write(tinyModel(1), describeTiny, () => ({ "card.md": "# A card\n" }));
      const loaded = await artifacts.load(stored.manifest.version, stored.manifestSha256);
      assert.deepEqual(loaded.model.arrays, tinyModel(1).arrays);
      await assert.rejects(artifacts.load("popularity-000000000000"), { code: "NOT_FOUND" });
    });
  });
}
