import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, test } from "node:test";
import { itemId } from "../../../../models/data/ids.ts";
import { importInteractions } from "../../../../services/interactions/import/import.ts";

/**
 * Small inputs in the layouts of public reports. They stand beside a checkout in ../shared/cases, or where PHASEWISE_CASES
 * says; the kinds themselves are tested without them in layouts.test.ts, catalogue.test.ts and any-table.test.ts.
 */
const CASES = resolve(process.env.PHASEWISE_CASES ?? "../shared/cases");

interface Right {
  readonly events?: number;
  readonly users?: number;
  readonly items?: number;
  /** Titles that items of the log have. */
  readonly titled?: number;
  readonly first: readonly [user: string, item: string, weight: number, time: string];
  /** Among the lines of the report. */
  readonly said?: RegExp;
}

const EPOCH = "1970-01-01T00:00:00.000Z";
const DAY = "2020-09-13T12:26:40.000Z";

const RIGHT: Readonly<Record<string, Right>> = {
  "01-yoochoose-no-header": {
    first: ["11", "214536523", 1, "2014-04-07T10:51:09.277Z"],
    said: /column 2: time.*column 3: item/s,
  },
  "02-amazon-jsonl": {
    first: ["A000000011X", "0000000002", 5, "2018-01-02T00:00:00.000Z"],
    said: /reviewText: not used/,
  },
  "02-amazon-jsonl/loose-json": { first: ["A000000011X", "0000000023", 1, "2018-01-01T00:00:00.000Z"] },
  "02-amazon-jsonl/ratings-only": {
    first: ["A000000011X", "0000000023", 1, "2018-01-01T00:00:00.000Z"],
    said: /column 1: item.*column 2: user/s,
  },
  "02-amazon-jsonl/yelp": { first: ["u11", "b23", 1, "2014-04-07T10:51:09.000Z"] },
  "04-goodbooks": {
    titled: 25,
    first: ["11", "23", 1, EPOCH],
    said: /no times: the order of the rows stands in.*titles from title/s,
  },
  "05-pandas-float-ids": {
    titled: 25,
    first: ["11", "23", 1, "2009-12-14T02:52:24.000Z"],
    said: /kept as "1"/,
  },
  "06-leading-zeros": { events: 250, items: 27, first: ["11", "100023", 1, DAY] },
  "09-minus-one-ratings": {
    first: ["11", "23", 1, DAY],
    said: /60 of -1 mean "seen, not rated"/,
  },
  "09-minus-one-ratings/jester": {
    first: ["11", "23", Math.fround(5.04), DAY],
    said: /ratings from -9\.98 to 9\.93; 133 below 0 count against/,
  },
  "10-catalogue-bad-line/broken-row": {
    titled: 24,
    first: ["11", "23", 1, DAY],
    said: /1 of 25 items have no title/,
  },
  "10-catalogue-bad-line/latin-1": { titled: 25, first: ["11", "23", 1, DAY] },
  "10-catalogue-bad-line/latin-1-users": {
    first: ["user11", "23", 1, EPOCH],
    said: /7 lines are no UTF-8/,
  },
  "12-gz-and-parts/gz": { titled: 25, first: ["11", "23", 1, DAY] },
  "12-gz-and-parts/json-array": { first: ["11", "23", 1, DAY] },
  "12-gz-and-parts/parts": { first: ["11", "23", 1, DAY] },
  "14-heavy-user": {
    events: 3300,
    users: 41,
    items: 2100,
    first: ["heavy", "i0", 1, "2017-07-14T02:40:00.000Z"],
  },
  "16-one-event-users": {
    events: 200,
    users: 200,
    items: 17,
    first: ["1", "2", 5, "2020-09-13T12:27:40.000Z"],
  },
  "16-one-event-users/one-row": {
    events: 1,
    users: 1,
    items: 1,
    first: ["1", "1", 5, DAY],
    said: /only one user.*only one item/s,
  },
  "20-reimport-and-shared-redis/monday": { first: ["11", "23", 1, DAY] },
  "20-reimport-and-shared-redis/tuesday": { events: 228, users: 29, first: ["11", "23", 1, DAY] },
  "20-reimport-and-shared-redis/shop": { first: ["user-1", "sku-1", 1, DAY] },
  "26-which-column/excel-german": {
    first: ["11", "23", 1.5, "2014-04-07T10:51:00.000Z"],
    said: /written as DD\.MM\.YYYY HH:mm/,
  },
  "26-which-column/hm": {
    first: [`${"0".repeat(63)}b`, "0663713023", 1, "2018-09-01T00:00:00.000Z"],
  },
  "26-which-column/lastfm-360k": {
    titled: 23,
    first: [`${"0".repeat(39)}b`, "00000017-0000-4000-8000-000000000000", 1523, EPOCH],
    said: /13 rows without an id of their item go by its title/,
  },
  "26-which-column/netflix": { first: ["1000022", "1", 2, "2005-01-06T00:00:00.000Z"] },
  "26-which-column/steam-200k": {
    first: ["151603711", "Game, the 23", 1, EPOCH],
    said: /kinds of events by weight: play 1, purchase 3/,
  },
};

describe("cases of people who do this job", {
  skip: !existsSync(CASES) && `no folder ${CASES}; set PHASEWISE_CASES`,
}, () => {
  for (const [name, { events = 240, users = 30, items = 25, titled = 0, first, said }] of Object.entries(
    RIGHT,
  )) {
    test(name, async () => {
      const { log, catalogue, report } = await importInteractions(join(CASES, name), {
        now: Date.UTC(2026, 0, 1),
      });
      assert.deepEqual([log.timestamps.length, log.users.size, log.items.size], [events, users, items]);
      const known = log.items.ids.filter((item) => (catalogue.get(item)?.title ?? item) !== item);
      assert.equal(known.length, titled);
      assert.deepEqual(
        [
          log.users.idAt(log.userIndex[0]),
          log.items.idAt(log.itemIndex[0]),
          log.weights[0],
          new Date(log.timestamps[0]).toISOString(),
        ],
        first,
      );
      if (said !== undefined) assert.match([...report.columns, ...report.notes].join("\n"), said);
    });
  }

  test("06: 000123 and 123 are two items", async () => {
    const { log } = await importInteractions(join(CASES, "06-leading-zeros"), { now: Date.UTC(2026, 0, 1) });
    assert.ok(log.items.has(itemId("000123")) && log.items.has(itemId("123")));
  });
});
