import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { itemId } from "../../../../models/data/ids.ts";
import { PhasewiseError } from "../../../../services/errors.ts";
import { withDuckDb } from "../../../../services/interactions/duckdb.ts";
import { type ImportOptions, importInteractions } from "../../../../services/interactions/import/import.ts";

const NOW = Date.UTC(2026, 0, 1);
const root = await mkdtemp(join(tmpdir(), "phasewise-layouts-"));
after(() => rm(root, { recursive: true, force: true }));

type Files = Readonly<Record<string, string | Uint8Array>>;

async function folder(files: Files): Promise<string> {
  const path = await mkdtemp(join(root, "data-"));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), content);
  }
  return path;
}

const read = async (files: Files, settings: ImportOptions["settings"] = {}) =>
  importInteractions(await folder(files), { now: NOW, settings });

/** The first event in time: [user, item, weight, ISO time]. */
async function first(files: Files, settings: ImportOptions["settings"] = {}): Promise<(string | number)[]> {
  const { log } = await read(files, settings);
  return [
    log.users.idAt(log.userIndex[0]),
    log.items.idAt(log.itemIndex[0]),
    log.weights[0],
    new Date(log.timestamps[0]).toISOString(),
  ];
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => assert.fail("expected a refusal"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof PhasewiseError, String(error));
  return error.message;
}

/** `rows` rows, each made from its number. */
const rowsOf = (rows: number, row: (number: number) => string): string =>
  `${Array.from({ length: rows }, (_, number) => row(number)).join("\n")}\n`;

const SPRING = "2014-04-07T10:51:09.277Z";

describe("a table with a header", () => {
  const TABLES: Readonly<Record<string, readonly [files: Files, event: readonly (string | number)[]]>> = {
    MovieLens: [
      { "ratings.csv": "userId,movieId,rating,timestamp\n7,31,2.5,1260759144\n" },
      ["7", "31", 2.5, "2009-12-14T02:52:24.000Z"],
    ],
    "Amazon 2023": [
      { "Toys.csv": "user_id,parent_asin,rating,timestamp\nAE2,B01,4.0,1396867869277\n" },
      ["AE2", "B01", 4, SPRING],
    ],
    "Amazon 2018, JSON lines": [
      {
        "Toys_5.json":
          '{"overall": 4.0, "verified": true, "reviewerID": "A1", "asin": "0001", "unixReviewTime": 1396867869}\n',
      },
      ["A1", "0001", 4, "2014-04-07T10:51:09.000Z"],
    ],
    "Amazon 2014, loose JSON": [
      {
        "reviews.json":
          "{'reviewerID': u'A1', 'asin': '0001', 'overall': 4.0, 'helpful': [0, 0], 'reviewText': \"it's\", 'unixReviewTime': 1396867869}\n",
      },
      ["A1", "0001", 4, "2014-04-07T10:51:09.000Z"],
    ],
    Yelp: [
      {
        "yelp_academic_dataset_review.json":
          '{"review_id":"r","user_id":"u","business_id":"b","stars":4,"date":"2014-04-07 10:51:09"}\n',
      },
      ["u", "b", 4, "2014-04-07T10:51:09.000Z"],
    ],
    "Last.fm 1K listens": [
      {
        "plays.tsv": "user_id\ttimestamp\tartist_id\tartist_name\nu1\t2014-04-07T10:51:09Z\ta1\tPortishead\n",
      },
      ["u1", "a1", 1, "2014-04-07T10:51:09.000Z"],
    ],
    RetailRocket: [
      { "events.csv": "timestamp,visitorid,event,itemid,transactionid\n1396867869277,257,addtocart,355,\n" },
      ["257", "355", 2, SPRING],
    ],
    "H&M": [
      {
        "transactions_train.csv":
          "t_dat,customer_id,article_id,price,sales_channel_id\n2018-09-20,00ab,0663713001,0.05,2\n",
      },
      ["00ab", "0663713001", 1, "2018-09-20T00:00:00.000Z"],
    ],
    "Book-Crossing": [
      {
        "BX-Book-Ratings.csv":
          '"User-ID";"ISBN";"Book-Rating"\r\n"276725";"034545104X";"0"\r\n"276726";"0155061224";"5"\r\n',
      },
      ["276725", "034545104X", 1, "1970-01-01T00:00:00.000Z"],
    ],
    RecBole: [
      {
        "ml.inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n7\t31\t2.5\t1260759144.0\n",
      },
      ["7", "31", 2.5, "2009-12-14T02:52:24.000Z"],
    ],
    "Online Retail": [
      {
        "OnlineRetail.csv":
          "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n536365,85123A,LANTERN,6,12/31/2010 8:26,2.55,17850,UK\n",
      },
      ["17850", "85123A", 6, "2010-12-31T08:26:00.000Z"],
    ],
    "German Excel": [
      { "bewertungen.csv": "\ufeffKundennummer;Artikelnr;Bewertung;Datum\r\n7;31;2,5;07.04.2014 10:51\r\n" },
      ["7", "31", 2.5, "2014-04-07T10:51:00.000Z"],
    ],
    "French Excel": [
      { "avis.csv": "Id client;Référence;Note;Date\r\n7;31;2,5;25/12/2014 10:51\r\n" },
      ["7", "31", 2.5, "2014-12-25T10:51:00.000Z"],
    ],
    "R, whose header lacks the row names": [
      { "ratings.csv": '"user","item","rating"\n"1",7,31,2\n"2",7,32,3\n' },
      ["7", "31", 2, "1970-01-01T00:00:00.000Z"],
    ],
    microseconds: [{ "events.csv": "user,item,time\n7,31,1396867869277000\n" }, ["7", "31", 1, SPRING]],
    "Twitter's times": [
      { "events.csv": "user,item,created_at\n7,31,Mon Apr 07 10:51:09 +0000 2014\n" },
      ["7", "31", 1, "2014-04-07T10:51:09.000Z"],
    ],
  };
  for (const [name, [files, event]] of Object.entries(TABLES)) {
    test(`is read as ${name} writes it`, async () => assert.deepEqual(await first(files), event));
  }
});

describe("a table without a header", () => {
  test("Yoochoose: the times stand second, the items third, and a column that is always 0 means nothing", async () => {
    const files = {
      "yoochoose-clicks.dat": rowsOf(
        60,
        (n) => `${n % 11},2014-04-07T10:51:${String(n).padStart(2, "0")}.277Z,2145365${10 + (n % 9)},0`,
      ),
    };
    assert.deepEqual(await first(files), ["0", "214536510", 1, "2014-04-07T10:51:00.277Z"]);
    const { report } = await read(files);
    assert.match(report.columns[1], /column 2: time, its cells are times/);
    assert.match(report.columns[0], /--columns user=3,item=1/);
    assert.match(report.columns[3], /column 4: not used/);
  });

  test("Amazon's ratings only: the product stands first, and its code says so", async () => {
    const files = {
      "Toys.csv": rowsOf(
        40,
        (n) => `00000000${10 + (n % 9)},A00000000${n % 7}X,${1 + (n % 5)}.0,${1_396_867_869 + n}`,
      ),
    };
    assert.deepEqual(await first(files), ["A000000000X", "0000000010", 1, "2014-04-07T10:51:09.000Z"]);
  });

  test("Steam: names stand in for ids, kinds of events weigh, and hours are left alone", async () => {
    const files = {
      "steam-200k.csv": rowsOf(
        40,
        (n) =>
          `1516037${10 + (n % 7)},"Game, the ${n % 9}",${n % 2 ? "play" : "purchase"},${n % 2 ? 3.5 : "1.0"},0`,
      ),
    };
    const { log, report } = await read(files);
    assert.deepEqual([log.items.idAt(0), log.weights[0], log.weights[1]], ["Game, the 0", 3, 1]);
    assert.match(report.notes.join(), /purchase 3, play 1/);
  });

  test("Last.fm 360K: an empty artist id goes by the name, and plays weigh", async () => {
    const id = (n: number): string => `${n}`.padStart(8, "0");
    const files = {
      "usersha1-artmbid-artname-plays.tsv": rowsOf(
        60,
        (n) => `${id(n % 7)}b\t${n % 9 ? `${id(n % 9)}-4000` : ""}\tartist ${n % 9}\t${n * 17}`,
      ),
    };
    const { log, report, catalogue } = await read(files);
    assert.deepEqual(
      [log.items.idAt(0), log.items.idAt(1), log.weights[1]],
      ["artist 0", "00000001-4000", 17],
    );
    assert.equal(catalogue.get(itemId("00000001-4000"))?.title, "artist 1");
    assert.match(report.notes.join(), /7 rows without an id of their item go by its title/);
  });

  test("Taobao is known by its name", async () => {
    const files = {
      "UserBehavior.csv": "1,2268318,2520377,pv,1511544070\n1,2333346,2520771,buy,1511561733\n",
    };
    assert.deepEqual(await first(files), ["1", "2268318", 0.5, "2017-11-24T17:21:10.000Z"]);
  });

  test("Netflix: a line names the film, and titles may hold commas", async () => {
    const files = {
      "combined_data_1.txt": "1:\n1000007,1,2005-06-06\n1000008,3,2005-08-06\n2:\n1000007,4,2005-09-06\n",
      "movie_titles.csv": "1,2003,Dinosaur Planet\n2,2004,Isle of Man TT, 2004 Review\n",
    };
    assert.deepEqual(await first(files), ["1000007", "1", 1, "2005-06-06T00:00:00.000Z"]);
    const { catalogue } = await read(files);
    assert.deepEqual(catalogue.get(itemId("2")), {
      title: "Isle of Man TT, 2004 Review",
      genres: [],
      year: 2004,
    });
  });

  test("three columns of ids are not guessed at", async () => {
    const files = {
      "events.csv": rowsOf(60, (n) => `${n},${(n * 7) % 53},${(n * 3) % 41},${1_396_867_869 + n}`),
    };
    const message = await refusal(read(files));
    assert.match(
      message,
      /columns 1 and 2 and 3 could all be ids.*--columns user=1,item=2,time=3.*numbers, 60 different in 60 rows/,
    );
    assert.deepEqual(await first(files, { columns: { user: 1, item: 2, time: 4 } }), [
      "0",
      "0",
      1,
      "2014-04-07T10:51:09.000Z",
    ]);
  });
});

describe("what cannot be meant is refused with the remedy", () => {
  test("every time in 1970", async () => {
    const files = { "events.csv": "user,item,time\n1,2,17000\n2,3,17001\n" };
    assert.match(await refusal(read(files)), /none after 1970-01-01 when read as unix-s.*--dates unix-days/);
    assert.deepEqual(await first(files, { dates: "unix-days" }), ["1", "2", 1, "2016-07-18T00:00:00.000Z"]);
    assert.equal((await read(files, { columns: { time: "none" } })).report.timed, false);
  });

  test("dates whose day and month could stand either way round", async () => {
    const files = { "events.csv": "user,item,date\n1,2,03/04/2014\n2,3,05/06/2014\n" };
    assert.match(await refusal(read(files)), /could stand either way round.*--dates DD\/MM\/YYYY/);
    assert.deepEqual(await first(files, { dates: "DD/MM/YYYY" }), ["1", "2", 1, "2014-04-03T00:00:00.000Z"]);
  });

  test("a kind of event that nobody knows", async () => {
    const files = {
      "events.csv": "user,item,event,timestamp\n1,2,wishlist,1396867869\n2,3,wishlist,1396867869\n",
    };
    assert.match(await refusal(read(files)), /unknown-type.*"wishlist".*phasewise\.import\.json/);
    const settings = JSON.stringify({ events: { wishlist: 0.25 } });
    assert.deepEqual(await first({ ...files, "phasewise.import.json": settings }), [
      "1",
      "2",
      0.25,
      "2014-04-07T10:51:09.000Z",
    ]);
  });

  test("a workbook, a settings file with a mistake, a column that is not there", async () => {
    assert.match(
      await refusal(read({ "ratings.csv": Buffer.from("504b0304aaaa", "hex") })),
      /Excel workbook; unpack it, or save the sheet as CSV/,
    );
    const files = { "ratings.csv": "user,item\n1,2\n", "phasewise.import.json": '{"colums": {}}' };
    assert.match(await refusal(read(files)), /phasewise\.import\.json.*expected columns, delimiter/);
    assert.match(
      await refusal(read({ "ratings.csv": "user,item\n1,2\n" }, { columns: { item: "sku" } })),
      /expected a column sku for the item, got user, item/,
    );
  });
});

describe("files as people have them", () => {
  const HEADER = "userId,itemId,rating,timestamp\n";

  test("a folder of parts is one table, each with the header again or without it", async () => {
    const { log, report } = await read({
      _SUCCESS: "",
      ".part-00000.csv.crc": "x",
      "part-00000-1b4e28ba-2fa1-11d2-883f-0016d3cca427-c000.csv": `${HEADER}1,2,3,1396867869\n`,
      "part-00001-1b4e28ba-2fa1-11d2-883f-0016d3cca427-c000.csv": `${HEADER}2,3,3,1396867870\n`,
      "part-00002-1b4e28ba-2fa1-11d2-883f-0016d3cca427-c000.csv": "3,4,3,1396867871\n",
    });
    assert.deepEqual([log.timestamps.length, report.files], [3, 3]);
    const nested = await read({
      "day=1/part-0.csv": `${HEADER}1,2,3,1396867869\n`,
      "day=2/part-0.csv": `${HEADER}2,3,3,1396867870\n`,
    });
    assert.equal(nested.log.timestamps.length, 2);
  });

  test("JSON may be an array, over many lines, with ids of 64 bits and a broken line", async () => {
    const array = `[\n  {\n    "user": 9007199254740993,\n    "item": 7,\n    "timestamp": 1396867869\n  },\n  {"user": 8, "item": "7 {x}", "timestamp": 1396867870}\n]`;
    const { log } = await read({ "events.json": array });
    assert.deepEqual([...log.users.ids, ...log.items.ids], ["9007199254740993", "8", "7", "7 {x}"]);
    const lines = await read({ "events.jsonl": '{"user":1,"item":2}\n{"user":1,"it\n{"user":2,"item":3}\n' });
    assert.deepEqual(
      lines.report.rejected.map(({ kind, examples }) => [kind, examples[0].line]),
      [["unreadable", 2]],
    );
    assert.equal(lines.log.timestamps.length, 2);
  });

  test("a quote that never closes costs its line, not the rest of the file", async () => {
    const rows = rowsOf(300, (n) =>
      n === 100 ? '1,"open,x,4,1396867869' : `${n},"item ""${n % 9}""",4,${1_396_867_869 + n}`,
    );
    const { log, report } = await read({ "ratings.csv": HEADER + rows });
    assert.equal(log.timestamps.length, 299);
    assert.deepEqual(
      report.rejected.map(({ kind, rows: lost, examples }) => [kind, lost, examples[0].line]),
      [["unreadable", 1, 102]],
    );
    assert.equal(log.items.idAt(1), 'item "1"');
  });

  test("one line in Latin-1 among UTF-8 is read as what it is", async () => {
    const rows = Buffer.concat([
      Buffer.from("user;item\nJürgen;1\n"),
      Buffer.from("Zoë;2\n", "latin1"),
      Buffer.from("日本;3\n"),
    ]);
    const { log, report } = await read({ "ratings.csv": rows });
    assert.deepEqual([...log.users.ids], ["Jürgen", "Zoë", "日本"]);
    assert.match(report.notes.join(), /1 lines are no UTF-8/);
    const cyrillic = Buffer.from([0xc8, 0xe2, 0xe0, 0xed]);
    const named = await read(
      { "ratings.csv": Buffer.concat([Buffer.from("user;item\n"), cyrillic, Buffer.from(";1\n")]) },
      { encoding: "windows-1251" },
    );
    assert.equal(named.log.users.idAt(0), "Иван");
  });

  test("zstd, whatever the version of Node.js", async () => {
    const path = join(await folder({}), "ratings.csv.zst");
    await withDuckDb((connection) =>
      connection.run(
        `COPY (SELECT 'u' || n AS user_id, n AS item_id, 1396867869 + n AS timestamp FROM range(5000) AS t(n))
         TO '${path}' (FORMAT csv, COMPRESSION zstd)`,
      ),
    );
    const { log } = await importInteractions(path, { now: NOW });
    assert.deepEqual([log.timestamps.length, log.users.idAt(4999)], [5000, "u4999"]);
    const torn = await folder({ "ratings.csv.zst": (await readFile(path)).subarray(0, 2000) });
    assert.match(await refusal(importInteractions(torn, { now: NOW })), /expected a whole zstd file/);
  });

  test("Parquet of every common type", async () => {
    const path = join(await folder({}), "events.parquet");
    await withDuckDb((connection) =>
      connection.run(
        `COPY (SELECT uuid AS user_id, item::HUGEINT AS item_id, rating::DECIMAL(4,2) AS rating, day::DATE AS date FROM (VALUES
           ('6b3f0e2c-0000-4000-8000-000000000001'::UUID, 7, 4.5, '2014-04-07'), ('6b3f0e2c-0000-4000-8000-000000000002'::UUID, 8, 3, '2014-04-08'))
           AS t(uuid, item, rating, day)) TO '${path}' (FORMAT parquet)`,
      ),
    );
    const { log } = await importInteractions(path, { now: NOW });
    assert.deepEqual(
      [log.users.idAt(0), log.items.idAt(0), log.weights[0], log.timestamps[0]],
      ["6b3f0e2c-0000-4000-8000-000000000001", "7", 4.5, Date.UTC(2014, 3, 7)],
    );
  });
});

describe("ids are text unless all are numbers", () => {
  test("000123 is not 123, and one odd id loses no row", async () => {
    const { log } = await read({
      "transactions.csv": "customer_id,item_id\n1,123\n1,000123\n2,12-3\n3,1e3\n4,1000\n",
    });
    assert.deepEqual([...log.items.ids], ["123", "000123", "12-3", "1e3", "1000"]);
  });

  test("1.0 is 1 where pandas wrote every id so, and 1.0 where one is not", async () => {
    const movies = "movieId,title,genres\n1,Heat (1995),Crime\n";
    const floats = await read({
      "ratings.csv": ",userId,movieId\n0,1.0,1.0\n1,31.0,1.0\n",
      "movies.csv": movies,
    });
    assert.deepEqual([...floats.log.users.ids, ...floats.log.items.ids], ["1", "31", "1"]);
    assert.equal(floats.report.itemsWithoutTitle, 0);
    const mixed = await read({ "ratings.csv": "userId,movieId\n1.0,1.0\n31.0,v1.0\n" });
    assert.deepEqual([...mixed.log.items.ids], ["1.0", "v1.0"]);
  });

  test("an id has 512 bytes at most", async () => {
    const { log, report } = await read({
      "ratings.csv": `user,item\n1,${"ä".repeat(256)}\n2,${"ä".repeat(256)}x\n3,ok\n`,
    });
    assert.deepEqual(
      log.items.ids.map((id) => id.length),
      [256, 2],
    );
    assert.equal(report.rejected[0].kind, "id-too-long");
  });
});

describe("ratings", () => {
  const file = (ratings: readonly number[]): Files => ({
    "ratings.csv": `user_id,item_id,rating,timestamp\n${ratings.map((rating, n) => `${n},1,${rating},${1_396_867_869 + n}`).join("\n")}\n`,
  });

  test("-1 beside ratings of 1 to 10 means seen, not rated", async () => {
    const { log, report } = await read(file([-1, 7, 10]));
    assert.deepEqual([...log.weights], [1, 7, 10]);
    assert.match(report.notes.join(), /1 of -1 mean "seen, not rated"/);
  });

  test("on a scale that goes below zero, what is below counts against its item", async () => {
    const { log, report } = await read(file([-9.5, -1, 4.5]));
    assert.deepEqual([...log.weights], [-9.5, -1, 4.5]);
    assert.match(report.notes.join(), /2 below 0 count against/);
  });
});

describe("titles come from whatever table knows the items", () => {
  const RATINGS = { "ratings.csv": "user_id,book_id,rating\n1,11,5\n2,12,4\n" };

  test("Goodbooks: books.csv, not the tables of tags and wishes beside it", async () => {
    const { catalogue, report } = await read({
      ...RATINGS,
      "books.csv":
        'book_id,goodreads_book_id,authors,original_publication_year,original_title,title\n11,2767011,"N, M",1991.0,O,"The Title (Series, #1)"\n12,2767012,N,1992.0,,Another\n',
      "tags.csv": "tag_id,tag_name\n11,fantasy\n",
      "to_read.csv": "user_id,book_id\n1,12\n",
    });
    assert.deepEqual(catalogue.get(itemId("11")), {
      title: "The Title (Series, #1)",
      genres: [],
      year: 1991,
      attributes: { goodreads_book_id: 2767011, authors: "N, M", original_title: "O" },
    });
    assert.match(report.notes.join(), /no times: the order of the rows stands in/);
  });

  test("genres are read in whatever way catalogues write lists", async () => {
    const written = [
      "Drama|Comedy",
      "Drama, Comedy",
      "Drama; Comedy",
      "['Drama', 'Comedy']",
      '["Drama", "Comedy"]',
      "[Drama, Comedy]",
      "{Drama,Comedy}",
      "[{'id': 18, 'name': 'Drama'}, {'id': 35, 'name': 'Comedy'}]",
    ];
    for (const genres of written) {
      const { catalogue } = await read({
        ...RATINGS,
        "items.csv": `id,name,genres\n11,A,"${genres.replaceAll('"', '""')}"\n12,B,\n`,
      });
      assert.deepEqual(catalogue.get(itemId("11"))?.genres, ["Drama", "Comedy"], genres);
    }
    const flags = await read({
      ...RATINGS,
      "items.csv": "id,name,Drama,Comedy,Horror\n11,A,1,1,0\n12,B,0,0,0\n",
    });
    assert.deepEqual(flags.catalogue.get(itemId("11"))?.genres, ["Drama", "Comedy"]);
  });

  test("a broken line is skipped, counted and named", async () => {
    const rows = rowsOf(25, (n) =>
      n === 7 ? "7,Title 7, the (1977),Drama" : `${n},Title ${n} (1971),Drama`,
    );
    const { catalogue, report } = await read({
      "ratings.csv": "userId,movieId\n1,6\n2,7\n",
      "movies.csv": `movieId,title,genres\n${rows}`,
    });
    assert.equal(catalogue.size, 24);
    assert.deepEqual(report.rejectedItems[0].examples, [
      { line: 9, column: "(all)", value: "7,Title 7, the (1977),Drama" },
    ]);
  });
});

test("small and strange data is read", async () => {
  for (const content of [
    "user,item\n1,2\n",
    "user,item\n1,2\n1,3\n",
    "user,item\n1,2\n2,2\n",
    "user,item,time\n1,2,1396867869\n2,3,1396867869\n",
  ]) {
    const { log } = await read({ "ratings.csv": content });
    assert.ok(log.timestamps.length >= 1, content);
  }
  assert.match(await refusal(read({ "movies.csv": "movieId,title\n1,Heat\n" })), /column userId/);
});
