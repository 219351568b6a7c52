import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type PrivateRedis, startRedis } from "../support/redis.ts";

const DEMO = fileURLToPath(new URL("../../deploy/demo/main.js", import.meta.url));
const SECOND = 1_600_000_000;

const table = (header: string, rows: number, row: (n: number) => readonly (number | string)[]): string =>
  [header, ...Array.from({ length: rows }, (_, n) => row(n).join(","))].join("\n");
const RATED = "userId,movieId,rating,timestamp";
const TYPED = "userId,movieId,type,timestamp";

/** Data that is small or strange, and what is said of it. */
const SERVED: Readonly<Record<string, { readonly rows: string; readonly said: RegExp }>> = {
  "one row": { rows: "userId,movieId\n1,2", said: /only one user[\s\S]*only one item/ },
  "one user": { rows: table(RATED, 8, (n) => [1, n, 4, SECOND + n]), said: /only one user/ },
  "one item": { rows: table(RATED, 8, (n) => [n, 7, 4, SECOND + n]), said: /only one item/ },
  "one event a user": {
    rows: table(RATED, 40, (n) => [n, 1 + (n % 9), 4, SECOND + 1000 * n]),
    said: /0 users of the holdout are fewer than the policy asks for|no user comes back/,
  },
  "no times": {
    rows: table("userId,movieId,rating", 42, (n) => [n % 6, n % 7, 1 + (n % 5)]),
    said: /no times: the order of the/,
  },
  "all at one time": {
    rows: table(RATED, 42, (n) => [n % 6, n % 7, 4, SECOND]),
    said: /users of the holdout are fewer/,
  },
};

/** What nobody could be recommended anything from. */
const REFUSED: Readonly<
  Record<string, { readonly files: Readonly<Record<string, string>>; readonly said: RegExp }>
> = {
  "only impressions": {
    files: { "ratings.csv": table(TYPED, 42, (n) => [n % 6, n % 7, "impression", SECOND + n]) },
    said: /expected an event of interest .* weigh 0 \(exposure\) or less \(against\); weigh their types/,
  },
  "only dislikes": {
    files: { "ratings.csv": table(TYPED, 42, (n) => [n % 6, n % 7, "dislike", SECOND + n]) },
    said: /expected an event of interest/,
  },
  "a catalogue without events": {
    files: { "movies.csv": "movieId,title,genres\n1,Heat (1995),Action\n2,Babe (1995),Comedy" },
    said: /expected a column userId, got movieId, title, genres; say which column it is/,
  },
};

describe("npm start on small and strange data", () => {
  let redis: PrivateRedis;
  let root: string;
  let serial = 0;
  before(async () => {
    redis = await startRedis();
    root = await mkdtemp(join(tmpdir(), "phasewise-strange-"));
  });
  after(async () => {
    await redis.stop();
    await rm(root, { recursive: true, force: true, maxRetries: 5 });
  });

  /** One Redis for all: a home and a prefix each. */
  async function start(files: Readonly<Record<string, string>>) {
    const home = join(root, `home ${serial} #ü`);
    const data = join(root, `data ${serial} [x]`);
    await mkdir(data);
    await mkdir(home);
    for (const [name, content] of Object.entries(files)) await writeFile(join(data, name), `${content}\n`);
    const policy = join(home, "policy.json");
    await writeFile(policy, JSON.stringify({ formatVersion: 1, training: { trials: 2 } }));
    const env = {
      ...process.env,
      REDIS_URL: redis.url,
      PHASEWISE_PREFIX: `strange-${serial++}`,
      PHASEWISE_HOME: home,
      PHASEWISE_POLICY: policy,
      PHASEWISE_THREADS: "1",
    };
    const words = ["--data", data, "--port", "0", "--exit", "--details"];
    const demo = spawn(process.execPath, [DEMO, ...words], { env, stdio: ["ignore", "pipe", "pipe"] });
    const ended = new Promise<number | null>((resolve) => demo.once("exit", resolve));
    const [out, error] = await Promise.all([text(demo.stdout), text(demo.stderr)]);
    const said = `${out}\n${error}`;
    assert.doesNotMatch(said, /^ {4}at /m, "no stack trace");
    return { code: await ended, said, flat: said.replaceAll(/\s+/g, " ") };
  }

  for (const [name, { rows, said }] of Object.entries(SERVED)) {
    test(`${name}: the floor serves, and what cannot be judged is said`, async () => {
      const run = await start({ "ratings.csv": rows });
      assert.equal(run.code, 0, run.said);
      assert.match(run.flat, /Live: popularity-[0-9a-f]{12}/);
      assert.match(run.flat, said);
    });
  }

  for (const [name, { files, said }] of Object.entries(REFUSED)) {
    test(`${name}: refused in one sentence`, async () => {
      const run = await start(files);
      assert.equal(run.code, 1, run.said);
      assert.match(run.flat, said);
    });
  }
});
