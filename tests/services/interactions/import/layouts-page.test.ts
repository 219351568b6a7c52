import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { importInteractions } from "../../../../services/interactions/import/import.ts";

const PAGE = new URL("../../../../../LAYOUTS.md", import.meta.url);
const root = await mkdtemp(join(tmpdir(), "phasewise-layouts-page-"));
after(() => rm(root, { recursive: true, force: true }));

const code = (cell: string): string[] =>
  [...cell.matchAll(/`([^`]*)`/g)].map(([, inner]) => inner.replaceAll("\\t", "\t"));
const rows = (await readFile(PAGE, "utf8"))
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .map((line) =>
    line
      .slice(2, -2)
      .split(" | ")
      .map((cell) => cell.trim()),
  )
  .filter((cells) => cells.length === 7 && /^`/.test(cells[1]));

describe("the page of layouts says what is true of", () => {
  test("more than twenty layouts", () => assert.ok(rows.length > 20));

  for (const [layout, file, lines, user, item, weight, time] of rows) {
    test(layout, async () => {
      const [name] = code(file);
      const folder = await mkdtemp(join(root, "data-"));
      await writeFile(join(folder, name), `${code(lines).join("\n")}\n`);
      const { log } = await importInteractions(join(folder, name), { now: Date.UTC(2026, 0, 1) });
      const at = log.timestamps[0];
      assert.deepEqual(
        [
          log.users.idAt(log.userIndex[0]),
          log.items.idAt(log.itemIndex[0]),
          String(Number(log.weights[0].toPrecision(6))),
          at < 1000 ? `row ${at}` : new Date(at).toISOString(),
        ],
        [user, item, weight, time],
      );
    });
  }
});
