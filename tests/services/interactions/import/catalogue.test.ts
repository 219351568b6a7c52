import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { itemId } from "../../../../models/data/ids.ts";
import type { ItemInfo } from "../../../../models/data/interaction-log.ts";
import { readCatalogue, writeCatalogue } from "../../../../services/interactions/catalogue-file.ts";
import { withDuckDb } from "../../../../services/interactions/duckdb.ts";
import { importInteractions } from "../../../../services/interactions/import/import.ts";
import { folderStore } from "../../../../services/storage/folder-store.ts";

const root = await mkdtemp(join(tmpdir(), "phasewise-catalogue-"));
after(() => rm(root, { recursive: true, force: true }));
const NOW = Date.UTC(2026, 0, 1);

async function folder(files: Readonly<Record<string, string>>): Promise<string> {
  const path = await mkdtemp(join(root, "data-"));
  for (const [name, content] of Object.entries(files)) await writeFile(join(path, name), content);
  return path;
}

const RATINGS = "user_id,movie_id,rating\n1,11,5\n2,12,4\n";

async function catalogueOf(name: string, content: string) {
  const { catalogue, report } = await importInteractions(
    await folder({ "ratings.csv": RATINGS, [name]: content }),
    {
      now: NOW,
    },
  );
  return { first: catalogue.get(itemId("11")) as ItemInfo, catalogue, report };
}

const cell = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const BOTH = ["Drama", "Science Fiction"];

describe("genres are read in whatever way catalogues write them", () => {
  const written: Readonly<Record<string, string>> = {
    "as MovieLens": "Drama|Science Fiction",
    "with commas": "Drama, Science Fiction",
    "with semicolons": "Drama;Science Fiction",
    "as Python prints a list": "['Drama', 'Science Fiction']",
    "as a JSON array": '["Drama", "Science Fiction"]',
    "as Postgres prints one": '{Drama,"Science Fiction"}',
    "as DuckDB prints one": "[Drama, Science Fiction]",
    "as TMDB, in Python's quotes": "[{'id': 18, 'name': 'Drama'}, {'id': 878, 'name': 'Science Fiction'}]",
    "as TMDB, in JSON": '[{"id": 18, "name": "Drama"}, {"id": 878, "name": "Science Fiction"}]',
    "as Goodreads' counts": '{"Drama": 12, "Science Fiction": 3}',
    "with a repeat and spaces": " Drama |Science Fiction| Drama ",
  };
  for (const [how, text] of Object.entries(written)) {
    test(how, async () => {
      const rows = `movie_id,title,genres\n11,A,${cell(text)}\n12,B,${cell("(no genres listed)")}\n`;
      const { first, catalogue } = await catalogueOf("movies.csv", rows);
      assert.deepEqual([first.genres, catalogue.get(itemId("12"))?.genres], [BOTH, []]);
    });
  }

  test("in several columns", async () => {
    for (const names of ["genre1,genre2,genre3", "genre_1,genre_2,genre_3", "genres/0,genres/1,genres/2"]) {
      const { first } = await catalogueOf(
        "movies.csv",
        `movie_id,title,${names}\n11,A,Drama,Science Fiction,\n12,B,Comedy,,\n`,
      );
      assert.deepEqual(first.genres, BOTH, names);
    }
  });

  test("as columns of 0 and 1 by their names", async () => {
    const { first } = await catalogueOf(
      "movies.csv",
      "movie_id,title,Comedy,Drama,Science Fiction\n11,A,0,1,1\n12,B,1,0,0\n",
    );
    assert.deepEqual(first.genres, BOTH);
  });

  test("as the 19 flags of MovieLens 100K, in Latin-1, beside a table with another header", async () => {
    const flags = (...on: number[]) =>
      Array.from({ length: 19 }, (_, flag) => (on.includes(flag) ? 1 : 0)).join("|");
    const { first } = await catalogueOf(
      "u.item",
      `11|Abc (1995)|01-Jan-1995||http://x|${flags(8, 15)}\n12|Bcd (1990)|01-Jan-1990||http://x|${flags(0)}\n`,
    );
    assert.deepEqual([first.genres, first.year], [["Drama", "Sci-Fi"], 1995]);
  });

  test("as arrays of JSON lines", async () => {
    const { first } = await catalogueOf(
      "items.jsonl",
      '{"movie_id": 11, "title": "A", "genres": ["Drama", "Science Fiction"]}\n{"movie_id": 12, "title": "B", "genres": []}\n',
    );
    assert.deepEqual(first.genres, BOTH);
  });

  test("as lists in Parquet", async () => {
    const data = await folder({ "ratings.csv": RATINGS });
    await withDuckDb((connection) =>
      connection.run(
        `COPY (SELECT * FROM (VALUES (11, 'A', ['Drama', 'Science Fiction']), (12, 'B', NULL)) AS t(movie_id, title, genres))
         TO '${data}/movies.parquet' (FORMAT parquet)`,
      ),
    );
    const { catalogue } = await importInteractions(data, { now: NOW });
    assert.deepEqual(catalogue.get(itemId("11"))?.genres, BOTH);
  });
});

describe("what else a catalogue says becomes attributes", () => {
  const TABLE =
    "movie_id,title,genres,year,language,runtime,colour,cast,plot,available,available_from,available_until\n" +
    `11,A,Drama,1995,de,96.5,true,X|Y,${"long ".repeat(80)},1,2024-05-01,2030-01-01\n` +
    "12,B,Drama,1990,,,false,Z,short,0,,\n";

  test("by the names of their columns, as what they are; long texts stay out, and the report says so", async () => {
    const { first, catalogue, report } = await catalogueOf("movies.csv", TABLE);
    assert.deepEqual(first, {
      title: "A",
      genres: ["Drama"],
      year: 1995,
      attributes: { language: "de", runtime: 96.5, colour: true, cast: ["X", "Y"] },
      availability: { available: true, from: Date.UTC(2024, 4, 1), until: Date.UTC(2030, 0, 1) },
    });
    assert.deepEqual(catalogue.get(itemId("12"))?.attributes, { colour: false, cast: ["Z"] });
    assert.deepEqual(catalogue.get(itemId("12"))?.availability, { available: false });
    assert.match(
      report.notes.join("\n"),
      /attributes language \(text\), runtime \(number\), colour \(boolean\), cast \(list\), availability/,
    );
  });

  test("and are kept beside the snapshot as they are", async () => {
    const { catalogue } = await catalogueOf("movies.csv", TABLE);
    const store = folderStore(await folder({}));
    await writeCatalogue(catalogue, store);
    assert.deepEqual(await readCatalogue(store), catalogue);
  });

  test("codes with leading zeros are no numbers, and columns without a name say nothing", async () => {
    const { first } = await catalogueOf(
      "movies.csv",
      "movie_id,title,code,,__proto__\n11,A,007,x,y\n12,B,008,x,y\n",
    );
    assert.deepEqual(first.attributes, { code: "007" });
  });
});
