import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Download, findData, loadData } from "../../../services/interactions/find-data.ts";
import { unzip } from "../../../services/interactions/zip.ts";
import { zipOf } from "../../support/zip.ts";

const root = await mkdtemp(join(tmpdir(), "phasewise-find-"));
const servers: Server[] = [];
after(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await rm(root, { recursive: true, force: true });
});

const cache = (): Promise<string> => mkdtemp(join(root, "cache-"));
const RATINGS = "userId,movieId,rating,timestamp\r\n1,10,4.0,1000000001\r\n2,20,5.0,1000000000\r\n";
const MOVIES = "movieId,title,genres\r\n10,Heat (1995),Crime\r\n20,Babe (1995),Comedy\r\n";
const hash = (text: string): string => createHash("sha256").update(text).digest("hex");

async function serve(listener: RequestListener): Promise<Download> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return {
    url: `http://127.0.0.1:${address.port}/small.zip`,
    folder: "small",
    files: { "ratings.csv": hash(RATINGS), "movies.csv": hash(MOVIES) },
  };
}

test("data given by the user is taken and nothing is downloaded", async () => {
  const found = await findData({ source: "/my/data", cacheFolder: await cache() });
  assert.deepEqual(found, { kind: "given", path: "/my/data", reason: "using /my/data" });
});

test("a download is checked, kept, and used from the cache the next time", async () => {
  let requests = 0;
  const download = await serve((_, response) => {
    requests++;
    response.end(
      zipOf({ "small/README.txt": "read me", "small/ratings.csv": RATINGS, "small/movies.csv": MOVIES }),
    );
  });
  const cacheFolder = await cache();
  const first = await findData({ cacheFolder, download });
  assert.equal(first.kind, "downloaded");
  const { log, catalogue, report } = await loadData(first, { now: Date.UTC(2026, 0, 1) });
  assert.deepEqual(
    [log.timestamps.length, catalogue.size, report?.layout],
    [2, 2, "text with , between its columns"],
  );
  assert.equal((await findData({ cacheFolder, download })).kind, "cached");
  assert.equal(requests, 1);
  await writeFile(join(cacheFolder, "small", "movies.csv"), "tampered");
  assert.equal((await findData({ cacheFolder, download })).kind, "downloaded");
  assert.equal(requests, 2);
});

test("whatever goes wrong with the download is said, and the synthetic catalogue stands in", async () => {
  const cases: [RequestListener, RegExp][] = [
    [(_, response) => response.writeHead(404).end(), /HTTP 404/],
    [(_, response) => response.end("no zip at all, this is a page"), /no zip/],
    [(_, response) => response.end(zipOf({ "ratings.csv": RATINGS })), /movies\.csv/],
    [(_, response) => response.end(zipOf({ "ratings.csv": "x", "movies.csv": MOVIES })), /SHA-256/],
    [() => {}, /timeout/],
  ];
  for (const [listener, expected] of cases) {
    const found = await findData({
      cacheFolder: await cache(),
      download: await serve(listener),
      timeoutMs: 300,
    });
    assert.equal(found.kind, "synthetic");
    assert.match(found.reason, expected);
    assert.match(found.reason, /SYNTHETIC.*--data DIR or PHASEWISE_DATA/);
  }
});

test("without a network the synthetic catalogue is loaded", async () => {
  const download: Download = {
    url: "http://127.0.0.1:9/none.zip",
    folder: "none",
    files: { "ratings.csv": "" },
  };
  const found = await findData({ cacheFolder: await cache(), download });
  const { log, report } = await loadData(found, { now: 0 });
  assert.deepEqual([found.kind, log.timestamps.length, report], ["synthetic", 80_000, null]);
});

test("a damaged archive is refused at any cut", () => {
  const archive = zipOf({ "a/ratings.csv": RATINGS });
  assert.equal(unzip(archive, ["ratings.csv"], 1_000).get("ratings.csv")?.toString(), RATINGS);
  assert.throws(() => unzip(archive, ["ratings.csv"], 10), /at most 10 bytes/);
  for (let length = 0; length < archive.length; length += 7) {
    assert.throws(() => unzip(archive.subarray(0, length), ["ratings.csv"], 1_000));
  }
});
