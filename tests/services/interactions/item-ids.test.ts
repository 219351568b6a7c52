import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { itemIdsCsv, readItemIds } from "../../../services/interactions/item-ids.ts";

describe("a file of item ids", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "phasewise-ids-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const ids of [
    ["1", "2", "3"],
    ["007", "1e3", "true", "2020-01-01"],
    ["a,b", "a;b", "a|b", "a b", 'say "hi"', "it's", "a\tb", "line\nbreak"],
    ["a;b", "c;d", "e;f"],
    ["only one"],
    ["null", "NULL", "-"],
  ]) {
    it(`is read as it was written: ${JSON.stringify(ids)}`, async () => {
      const file = join(folder, "ids.csv");
      await writeFile(file, itemIdsCsv(ids));
      assert.deepEqual(await readItemIds(file), ids);
    });
  }

  it("may hold other columns too, with any of the usual delimiters", async () => {
    for (const delimiter of [",", ";", "\t", "|"]) {
      const file = join(folder, "table.csv");
      const rows = [
        ["title", "movie_id"],
        ["A b", "7"],
        ["C", "x1"],
      ];
      await writeFile(file, `${rows.map((row) => row.join(delimiter)).join("\r\n")}\r\n`);
      assert.deepEqual(await readItemIds(file), ["7", "x1"], JSON.stringify(delimiter));
    }
  });
});
