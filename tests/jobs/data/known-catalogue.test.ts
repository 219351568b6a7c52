import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { knownCatalogue } from "../../../jobs/data/known-catalogue.ts";
import { itemId } from "../../../models/data/ids.ts";
import { CATALOGUE_FILE, writeCatalogue } from "../../../services/interactions/catalogue-file.ts";
import { folderStore } from "../../../services/storage/folder-store.ts";

it("the catalogue is read once, and again after an import, or where it could not be read", async () => {
  const folder = await mkdtemp(join(tmpdir(), "phasewise-catalogue-"));
  try {
    const store = folderStore(folder);
    const catalogue = knownCatalogue(store);
    assert.equal((await catalogue()).size, 0);
    await writeCatalogue(new Map([[itemId("a"), { title: "A", genres: [] }]]), store);
    const first = await catalogue();
    assert.equal(first.get(itemId("a"))?.title, "A");
    assert.equal(await catalogue(), first, "the very same");
    await store.replace(CATALOGUE_FILE, Buffer.from("no catalogue"));
    await assert.rejects(catalogue(), /import the data again/);
    await assert.rejects(catalogue(), /import the data again/);
    await writeCatalogue(new Map([[itemId("a"), { title: "Another A", genres: [] }]]), store);
    assert.equal((await catalogue()).get(itemId("a"))?.title, "Another A");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
