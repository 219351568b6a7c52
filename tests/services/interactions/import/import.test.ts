import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { itemId, userId } from "../../../../models/data/ids.ts";
import type { InteractionLog } from "../../../../models/data/interaction-log.ts";
import { PhasewiseError } from "../../../../services/errors.ts";
import { withDuckDb } from "../../../../services/interactions/duckdb.ts";
import { importFile, importInteractions } from "../../../../services/interactions/import/import.ts";

const NOW = Date.UTC(2026, 0, 1);
const root = await mkdtemp(join(tmpdir(), "phasewise-import-"));
after(() => rm(root, { recursive: true, force: true }));

/** A folder with the given files; a function-free way to write each layout by hand. */
async function folder(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const path = await mkdtemp(join(root, "data-"));
  for (const [name, content] of Object.entries(files)) await writeFile(join(path, name), content);
  return path;
}

async function file(name: string, content: string): Promise<string> {
  return join(await folder({ [name]: content }), name);
}

/** The log spelled out: [user, item, weight, time] an event. */
function events(log: InteractionLog): (string | number)[][] {
  return Array.from(log.timestamps, (time, event) => [
    log.users.idAt(log.userIndex[event]),
    log.items.idAt(log.itemIndex[event]),
    log.weights[event],
    time,
  ]);
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => assert.fail("expected a refusal"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof PhasewiseError, String(error));
  assert.equal(error.code, "INVALID_DATA");
  return error.message;
}

const SAME_THREE = [
  ["2", "20", 5, 1_000_000_000_000],
  ["1", "10", 4, 1_000_000_001_000],
  ["1", "20", 3.5, 1_000_000_001_000],
];

test("MovieLens CSV with CRLF is read in time order, ties in file order", async () => {
  const data = await folder({
    "ratings.csv":
      "userId,movieId,rating,timestamp\r\n1,10,4.0,1000000001\r\n1,20,3.5,1000000001\r\n2,20,5.0,1000000000\r\n",
    "movies.csv":
      'movieId,title,genres\r\n10,"American President, The (1995)",Comedy|Drama\r\n20,Babylon 5,(no genres listed)\r\n',
  });
  const { log, catalogue, report } = await importInteractions(data, { now: NOW });
  assert.deepEqual(events(log), SAME_THREE);
  assert.equal(report.layout, "text with , between its columns");
  assert.deepEqual(catalogue.get(itemId("10")), {
    title: "American President, The (1995)",
    genres: ["Comedy", "Drama"],
    year: 1995,
  });
  assert.deepEqual(catalogue.get(itemId("20")), { title: "Babylon 5", genres: [] });
});

test("MovieLens 1M with :: and Latin-1 titles is recognised", async () => {
  const data = await folder({
    "ratings.dat": "1::10::4::1000000001\n1::20::3.5::1000000001\n2::20::5::1000000000\n",
    "movies.dat": Buffer.from(
      "10::Misérables, Les (1995)::Drama|Musical\n20::Cité (2001)::Drama\n",
      "latin1",
    ),
  });
  const { log, catalogue, report } = await importInteractions(data, { now: NOW });
  assert.deepEqual(events(log), SAME_THREE);
  assert.match(report.columns[3], /time, as files of MovieLens have it, written as unix-s/);
  assert.deepEqual(catalogue.get(itemId("10")), {
    title: "Misérables, Les (1995)",
    genres: ["Drama", "Musical"],
    year: 1995,
  });
});

test("MovieLens 10M keeps UTF-8 titles", async () => {
  const data = await folder({
    "ratings.dat": "1::10::4::1000000001\n2::20::5::1000000000\n",
    "movies.dat": "10::Misérables, Les (1995)::Drama\n20::B: The Beginning::Drama\n",
  });
  const { catalogue } = await importInteractions(data, { now: NOW });
  assert.equal(catalogue.get(itemId("10"))?.title, "Misérables, Les (1995)");
});

test("MovieLens 100K with tabs and genre flags is recognised", async () => {
  const flags = (...on: number[]): string =>
    Array.from({ length: 19 }, (_, flag) => (on.includes(flag) ? "1" : "0")).join("|");
  const data = await folder({
    "u.data": "1\t10\t4\t1000000001\n1\t20\t3.5\t1000000001\n2\t20\t5\t1000000000\n",
    "u.item": Buffer.from(
      `10|GoldenEye é (1995)|01-Jan-1995||http://x/?a|${flags(1, 18)}\n20|unknown||||${flags(0)}\n`,
      "latin1",
    ),
  });
  const { log, catalogue, report } = await importInteractions(data, { now: NOW });
  assert.deepEqual(events(log), SAME_THREE);
  assert.match(report.columns[1], /item, as files of MovieLens 100K have it/);
  assert.deepEqual(catalogue.get(itemId("10")), {
    title: "GoldenEye é (1995)",
    genres: ["Action", "Western"],
    year: 1995,
  });
  assert.deepEqual(catalogue.get(itemId("20"))?.genres, []);
});

test("generic files: text ids, ISO times with and without offset, JSON Lines", async () => {
  const csv = await file(
    "shop.csv",
    "item_id,user_id,timestamp\nmug,ann,2024-05-01T10:00:00+02:00\npen,bob,2024-05-01T09:00:00\n",
  );
  assert.deepEqual(events((await importInteractions(csv, { now: NOW })).log), [
    ["ann", "mug", 1, Date.UTC(2024, 4, 1, 8)],
    ["bob", "pen", 1, Date.UTC(2024, 4, 1, 9)],
  ]);
  const data = await folder({
    "interactions.jsonl": `${JSON.stringify({ userId: "ann", itemId: 7, timestamp: 1_700_000_000_500, extra: 1 })}\n${JSON.stringify({ userId: "bob", itemId: 8, timestamp: 1_700_000_000_400 })}\n`,
    "items.csv": "itemId,title,genres,year\n7,Mug,Kitchen|Gift,2020\n8,Pen,,\n",
  });
  const imported = await importInteractions(data, { now: NOW });
  assert.deepEqual(events(imported.log), [
    ["bob", "8", 1, 1_700_000_000_400],
    ["ann", "7", 1, 1_700_000_000_500],
  ]);
  assert.deepEqual(imported.catalogue.get(itemId("7")), {
    title: "Mug",
    genres: ["Kitchen", "Gift"],
    year: 2020,
  });
  assert.deepEqual(imported.catalogue.get(itemId("8")), { title: "Pen", genres: [] });
});

test("Parquet is read with its own column types", async () => {
  const path = join(await folder({}), "events.parquet");
  await withDuckDb((connection) =>
    connection.run(
      `COPY (SELECT * FROM (VALUES ('ann', 7, 4.5, TIMESTAMP '2024-05-01 08:00:00.250'), ('bob', 8, 3, TIMESTAMP '2024-05-01 07:00:00'))
         AS t("userId", "itemId", rating, "timestamp")) TO '${path}' (FORMAT parquet)`,
    ),
  );
  const { log } = await importInteractions(path, { now: NOW });
  assert.deepEqual(events(log), [
    ["bob", "8", 3, Date.UTC(2024, 4, 1, 7)],
    ["ann", "7", 4.5, Date.UTC(2024, 4, 1, 8) + 250],
  ]);
});

test("a file without a header is read by what its cells look like, and without times by order", async () => {
  const four = await importFile(
    await file("a.csv", "1000000001,4,1,10\n1000000000,5,2,20\n1000000000,3.5,3,20\n"),
  );
  assert.deepEqual(events(four.log), [
    ["2", "20", 5, 1_000_000_000_000],
    ["3", "20", 3.5, 1_000_000_000_000],
    ["1", "10", 4, 1_000_000_001_000],
  ]);
  const rated = await importFile(await file("b.csv", "1,10,4\n1,10,5\n"));
  assert.deepEqual(events(rated.log), [
    ["1", "10", 4, 0],
    ["1", "10", 5, 1],
  ]);
  const timed = await importFile(await file("c.csv", "1,10,1700000001\n1,11,1700000000\n"));
  assert.deepEqual(
    events(timed.log).map(([, item]) => item),
    ["11", "10"],
  );
});

test("the columns of published splits are known by their usual names, whatever else stands beside them", async () => {
  const spellings: Readonly<Record<string, string>> = {
    "a.csv": "userID,itemID,rating,timestamp\n1,10,4,1\n",
    "b.inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t10\t4\t1\n",
    "c.csv": ",user_id,asin,parent_asin,rating,timestamp\n0,1,7,10,4,1\n",
    "d.txt": "user item rating timestamp\n1 10 4 1\n",
    "u1.base": "1\t10\t4\t1\n",
    "f.json": '{"uid": 1, "sid": 10, "rating": 4, "timestamp": 1}\n',
  };
  for (const [name, content] of Object.entries(spellings)) {
    const { log, timed } = await importFile(await file(name, content));
    assert.deepEqual(events(log), [["1", "10", 4, 1000]], name);
    assert.ok(timed, name);
  }
});

test("a file of lists is a line a user: the user's id, then the items in order", async () => {
  const { log, timed } = await importFile(await file("train.txt", "0 10 11 12\n1 11\n2\n3 10 12 \n"));
  assert.deepEqual(
    events(log).map(([user, item]) => `${user}:${item}`),
    ["0:10", "0:11", "0:12", "1:11", "3:10", "3:12"],
  );
  assert.equal(timed, false);
});

test("a packed file is read as what it holds", async () => {
  const path = join(await folder({ "a.csv.gz": gzipSync("userId,itemId,rating\n1,10,4\n") }), "a.csv.gz");
  assert.deepEqual(events((await importFile(path)).log), [["1", "10", 4, 0]]);
  const torn = join(await folder({ "b.csv.gz": "no gzip at all" }), "b.csv.gz");
  assert.match(await refusal(importFile(torn)), /b\.csv\.gz: expected a gzip file/);
});

test("rows below the least rating asked for are left out of a split's file", async () => {
  const path = await file("a.csv", "userId,itemId,rating\n1,10,4\n1,11,3.5\n2,10,5\n");
  const { log } = await importFile(path, { minRating: 4 });
  assert.deepEqual(
    events(log).map(([user, item]) => `${user}:${item}`),
    ["1:10", "2:10"],
  );
  assert.match(await refusal(importFile(path, { minRating: 6 })), /rated at least 6, got none; lower/);
  const unrated = await file("b.csv", "userId,itemId\n1,10\n");
  assert.match(await refusal(importFile(unrated, { minRating: 4 })), /got no column of ratings/);
});

test("broken rows are counted by kind with line, column, value and remedy", async () => {
  const good = Array.from({ length: 600 }, (_, row) => `${row % 7},${row},4,${1_000_000_000 + row}`);
  const lines = ["userId,movieId,rating,timestamp", ...good];
  lines.splice(3, 0, `1,${"x".repeat(513)},4,1000`);
  lines.splice(5, 0, "1,5,nan,1000");
  lines.splice(7, 0, "1,5,4,99999999999");
  lines.splice(9, 0, "1,,4,1000000000");
  lines.splice(11, 0, "1,5");
  lines.push(good[0]);
  const path = await file("ratings.csv", `${lines.join("\n")}\n`);
  const { report } = await importInteractions(path, { now: NOW });
  assert.equal(report.rows, 606);
  assert.equal(report.accepted, 600);
  const found = report.rejected.map(({ kind, rows, examples }) => [
    kind,
    rows,
    examples.map(({ line, column }) => `${line} ${column}`),
  ]);
  assert.deepEqual(found, [
    ["id-too-long", 1, ["4 movieId"]],
    ["no-rating", 1, ["6 rating"]],
    ["time-out-of-range", 1, ["8 timestamp"]],
    ["missing", 1, ["10 movieId"]],
    ["unreadable", 1, ["12 all columns"]],
    ["duplicate", 1, ["0 (all)"]],
  ]);
  assert.equal(report.rejected[1].examples[0].value, "nan");
  assert.ok(report.rejected.every(({ remedy }) => remedy.length > 20));
});

test("a file that is mostly broken is refused with the line, the column and the remedy", async () => {
  const path = await file("ratings.csv", "userId,itemId,rating,timestamp\n1,1,4,1000\n2,2,4,-5\n3,3,4,-5\n");
  const message = await refusal(importInteractions(path, { now: NOW }));
  assert.match(message, /line 3, column timestamp: "-5 is 1969-12-31T23:59:55.000Z"; write times/);
});

test("what cannot train is refused with a remedy", async () => {
  const empty = await file("a.csv", "");
  assert.match(await refusal(importInteractions(empty, { now: NOW })), /empty file/);
  const headerOnly = await file("b.csv", "userId,itemId\n");
  assert.match(await refusal(importInteractions(headerOnly, { now: NOW })), /empty file/);
  const noItem = await file("d.csv", "userId,colour\n1,red\n");
  assert.match(
    await refusal(importInteractions(noItem, { now: NOW })),
    /column itemId.*got userId, colour; say which.*--columns item=NAME.*texts, 1 different/,
  );
  assert.match(await refusal(importInteractions(join(root, "absent"), { now: NOW })), /check --data/);
  const strange = await folder({ "readme.txt": "hello", "notes.csv": "a,b\n1,2\n", "more.csv": "c\n1\n" });
  assert.match(await refusal(importInteractions(strange, { now: NOW })), /point --data at the file/);
});

test("many simultaneous events keep the first of each repeat", async () => {
  const rows = Array.from({ length: 60 }, (_, row) => `${row % 5},${row % 20},1,1000000000`);
  const path = await file("ratings.csv", `userId,itemId,rating,timestamp\n${rows.join("\n")}\n`);
  const { log, report } = await importInteractions(path, { now: NOW });
  assert.equal(log.timestamps.length, new Set(rows).size);
  assert.equal(report.rejected[0].rows, 60 - new Set(rows).size);
  assert.equal(log.users.indexOf(userId("0")), 0);
});

test("progress reaches one", async () => {
  const path = await file("ratings.csv", "userId,itemId\n1,1\n2,2\n");
  const fractions: number[] = [];
  await importInteractions(path, { now: NOW, onProgress: ({ fraction }) => fractions.push(fraction) });
  assert.equal(fractions.at(-1), 1);
  assert.deepEqual(fractions, [...fractions].sort());
});

test("MovieLens ml-latest-small has its published size", {
  skip: process.env.PHASEWISE_DATA === undefined && "set PHASEWISE_DATA to a MovieLens folder to run this",
}, async () => {
  const { log, catalogue, report } = await importInteractions(process.env.PHASEWISE_DATA ?? "", {
    now: NOW,
  });
  assert.equal(log.timestamps.length, 100_836);
  assert.deepEqual([report.users, report.items, catalogue.size], [610, 9_724, 9_742]);
  assert.deepEqual(report.rejected, []);
  assert.ok(log.timestamps.every((time, event) => event === 0 || time >= log.timestamps[event - 1]));
});
