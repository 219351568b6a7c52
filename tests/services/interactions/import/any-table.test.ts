import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { importInteractions } from "../../../../services/interactions/import/import.ts";

const root = await mkdtemp(join(tmpdir(), "phasewise-any-table-"));
after(() => rm(root, { recursive: true, force: true }));

const START = Date.UTC(2020, 0, 1) / 1000;
const MANY = 40;

/** Ids of one kind, so that a column looks like a column. */
const ID_KINDS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  integers: fc.integer({ min: 0, max: 1e9 }).map(String),
  "leading zeros": fc
    .tuple(fc.integer({ min: 0, max: 999 }), fc.integer({ min: 1, max: 8 }))
    .map(([id, width]) => String(id).padStart(width, "0")),
  "64 bits": fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n }).map(String),
  codes: fc.stringMatching(/^[A-Z][A-Z0-9]{3,12}$/),
  "any letters": fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
    .filter((id) => id.trim() === id && /\p{L}/u.test(id)),
  awkward: fc.constantFrom(
    "__proto__",
    "constructor",
    "a,b",
    "a;b",
    'say "hi"',
    "o'brien",
    "..",
    "a/b",
    "100%",
    "#1",
    "null?",
    "two\nlines",
    "tab\there",
    "ä|ö",
    "日本",
    "🎬🎬",
    "a::b",
  ),
};

const table = fc
  .record({
    userKind: fc.constantFrom(...Object.keys(ID_KINDS)),
    itemKind: fc.constantFrom(...Object.keys(ID_KINDS)),
    delimiter: fc.constantFrom(",", ";", "\t", "|", "::"),
    quoting: fc.constantFrom("needed", "always", "backslash"),
    newline: fc.constantFrom("\n", "\r\n", "\r"),
    encoding: fc.constantFrom("utf8", "utf8-bom", "utf16le", "utf16be", "latin1"),
    packed: fc.boolean(),
    lastNewline: fc.boolean(),
    header: fc.constantFrom(
      ["user_id", "item_id", "rating", "timestamp"],
      ["Kunde-Nr", "Artikel", "Bewertung", "Datum"],
      ["userId:token", "movieId:token", "rating:float", "timestamp:float"],
    ),
    times: fc.constantFrom("seconds", "milliseconds", "iso", "german"),
  })
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      rows: fc.array(
        fc.tuple(ID_KINDS[shape.userKind], ID_KINDS[shape.itemKind], fc.integer({ min: 1, max: 10 })),
        { minLength: 12, maxLength: MANY },
      ),
    }),
  );

type Shape = Parameters<Parameters<typeof table.map>[0]>[0]["shape"];

function timeText(seconds: number, { times }: Shape): string {
  const iso = new Date(seconds * 1000).toISOString();
  if (times === "iso") return `${iso.slice(0, 10)} ${iso.slice(11, 19)}`;
  if (times === "german")
    return `${iso.slice(8, 10)}.${iso.slice(5, 7)}.${iso.slice(0, 4)} ${iso.slice(11, 19)}`;
  return String(times === "milliseconds" ? seconds * 1000 : seconds);
}

function cellText(cell: string, { delimiter, quoting }: Shape): string {
  const needed = quoting === "always" || cell.includes(delimiter) || /["\r\n]/.test(cell);
  if (!needed) return cell;
  return quoting === "backslash"
    ? `"${cell.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`
    : `"${cell.replaceAll('"', '""')}"`;
}

/** Letters that Latin-1 has, and whose bytes are not by chance UTF-8. */
const isLatin1 = (text: string): boolean =>
  /^[\t\r\n\x20-\x7e\xa0-\xff]*$/.test(text) &&
  !(/[\xa0-\xff]/.test(text) && isUtf8(Buffer.from(text, "latin1")));

function encoded(text: string, { encoding, packed }: Shape): Buffer {
  const bytes = {
    utf8: () => Buffer.from(text),
    "utf8-bom": () => Buffer.from(`\ufeff${text}`),
    utf16le: () => Buffer.from(`\ufeff${text}`, "utf16le"),
    latin1: () => (isLatin1(text) ? Buffer.from(text, "latin1") : Buffer.from(text)),
    utf16be: () => Buffer.from(`\ufeff${text}`, "utf16le").swap16(),
  }[encoding]();
  return packed ? gzipSync(bytes) : bytes;
}

/** The same tables at every run; `PHASEWISE_FUZZ_RUNS=5000 PHASEWISE_FUZZ_SEED=7` looks at others. */
const RUNS = Number(process.env.PHASEWISE_FUZZ_RUNS ?? 150);
const SEED = Number(process.env.PHASEWISE_FUZZ_SEED ?? 1);

test("a cell that begins with an escaped quote is read in a table without any other one", async () => {
  const path = join(root, "one-quote.csv");
  await writeFile(path, 'user::item::rating::timestamp\n7::"\\"A"::4::1700000000\n7::B::4::1700000001\n');
  const { log } = await importInteractions(path, { now: Date.UTC(2026, 0, 1) });
  assert.deepEqual([...log.items.ids], ['"A', "B"]);
});

test("a table is read as it was written, whatever its delimiter, quotes, newlines, letters, header, times and ids", async () => {
  let files = 0;
  await fc.assert(
    fc.asyncProperty(table, async ({ shape, rows }) => {
      const written = rows.map(([user, item, rating], place) => [user, item, rating, START + place] as const);
      const lines = [
        shape.header,
        ...written.map(([user, item, rating, time]) => [user, item, String(rating), timeText(time, shape)]),
      ].map((cells) => cells.map((cell) => cellText(cell, shape)).join(shape.delimiter));
      const text = lines.join(shape.newline) + (shape.lastNewline ? shape.newline : "");
      const path = join(root, `table-${files++}.csv`);
      await writeFile(path, encoded(text, shape));
      const { log } = await importInteractions(path, { now: Date.UTC(2026, 0, 1) });
      const read = Array.from(log.timestamps, (time, event) => [
        log.users.idAt(log.userIndex[event]),
        log.items.idAt(log.itemIndex[event]),
        log.weights[event],
        time / 1000,
      ]);
      assert.deepEqual(read, written);
    }),
    { numRuns: RUNS, seed: SEED, includeErrorInReport: true },
  );
});
