import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";

const PAGE = new URL("../../../deploy/FAULTS.md", import.meta.url);
const FAULTS = 27;

describe("the table of faults", () => {
  const rows = readFileSync(PAGE, "utf8")
    .split("\n")
    .filter((line) => /^\| F\d+ /.test(line))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

  it("has every fault once, in order, with what must hold and what was obtained", () => {
    assert.deepEqual(
      rows.map(([fault]) => fault),
      Array.from({ length: FAULTS }, (_, n) => `F${n + 1}`),
    );
    for (const row of rows) {
      assert.equal(row.length, 5, row.join(" | "));
      for (const cell of row) assert.ok(cell !== "", `${row[0]} has an empty cell`);
    }
  });

  it("names tests that exist, one of which says that it is about this fault", () => {
    for (const [fault, , , , tests] of rows) {
      const files = [...tests.matchAll(/\]\(([^)]+)\)/g)].map(([, path]) => new URL(path, PAGE));
      assert.ok(files.length > 0, `${fault} names no test`);
      for (const file of files) assert.ok(existsSync(file), `${fault} names ${file}, which is missing`);
      const about = new RegExp(`\\b${fault}\\b`);
      assert.ok(
        files.some((file) => about.test(readFileSync(file, "utf8"))),
        `expected one of the tests of ${fault} to name it`,
      );
    }
  });
});
