import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const CLI = fileURLToPath(new URL("../../deploy/cli/main.js", import.meta.url));
const ITEMS = 12;

/** Each user walks a ring of items, one step an hour; everybody begins a month after the one before. */
function walks(): string[][] {
  return Array.from({ length: 30 }, (_, user) =>
    Array.from({ length: 8 }, (_, step) => {
      const seconds = 1_000_000_000 + 2_592_000 * user + 3600 * step;
      return `u${user},i${(5 * user + step) % ITEMS},5,${seconds}`;
    }),
  );
}

interface Outcome {
  readonly order: string;
  readonly users: number;
  readonly ndcg: number;
  readonly ndcgWithHistory: number;
  readonly coldUsers: number;
  readonly trials: number;
  readonly params: Readonly<Record<string, number>>;
}

describe("a train and a test file", () => {
  let home = "";
  before(async () => {
    home = await mkdtemp(join(tmpdir(), "phasewise-split-"));
  });
  after(() => rm(home, { recursive: true, force: true }));

  /** Writes both files and evaluates a recipe on them. */
  async function evaluated(
    [train, test]: readonly [readonly string[], readonly string[]],
    words: readonly string[],
    header = "user_id:token,item_id:token,rating:float,timestamp:float",
  ): Promise<Outcome> {
    const files = { train: join(home, "train.csv"), test: join(home, "test.csv") };
    await writeFile(files.train, `${[header, ...train].join("\n")}\n`);
    await writeFile(files.test, `${[header, ...test].join("\n")}\n`);
    const all = ["evaluate", "--train", files.train, "--test", files.test, ...words, "--json"];
    return new Promise((resolve, reject) => {
      execFile(process.execPath, [CLI, ...all], (error, stdout, stderr) =>
        error === null ? resolve(JSON.parse(stdout) as Outcome) : reject(new Error(stderr)),
      );
    });
  }

  const lastOfEach = [
    walks().flatMap((walk) => walk.slice(0, -1)),
    walks().flatMap((walk) => walk.slice(-1)),
  ] as const;
  const byChance = [
    walks().flatMap((walk, user) => walk.filter((_, step) => step !== user % 8)),
    walks().flatMap((walk, user) => walk.filter((_, step) => step === user % 8)),
  ] as const;
  const later = [walks().slice(0, 24).flat(), walks().slice(24).flat()] as const;

  it("of each user's last events is told by its times, and the newest history counts most", async () => {
    const { order, users, params, ndcg } = await evaluated(lastOfEach, ["--recipe", "item-knn"]);
    assert.equal(order, "user");
    assert.equal(users, 30);
    assert.ok(params.recency < 10);
    const blind = await evaluated(lastOfEach, ["--recipe", "item-knn", "--order", "none"]);
    assert.equal(blind.order, "none");
    assert.ok(ndcg > blind.ndcg, `${ndcg} with order, ${blind.ndcg} without`);
  });

  it("cut by chance has no order, and every entry of a history counts alike", async () => {
    const { order, params } = await evaluated(byChance, ["--recipe", "als"]);
    assert.equal(order, "none");
    assert.equal(params.recency, 0);
    assert.equal(params.halfLifeDays, 0);
  });

  it("of a later time keeps the users it does not know in, and tells them apart", async () => {
    const known = later[0].slice(0, 8).map((row) => row.replace(/i\d+/, "i11"));
    const withKnown = [later[0], [...later[1], known[0].replace(/\d+$/, "1100000000")]] as const;
    const outcome = await evaluated(withKnown, ["--recipe", "popularity"]);
    assert.equal(outcome.order, "time");
    assert.equal(outcome.users, 7);
    assert.equal(outcome.coldUsers, 6);
    assert.ok(Number.isFinite(outcome.ndcgWithHistory));
  });

  it("without times has no order, unless it is said by hand", async () => {
    const untimed = ([train, test]: typeof lastOfEach) =>
      [train, test].map((rows) => rows.map((row) => row.replace(/,5,\d+$/, ""))) as [string[], string[]];
    const told = async (...order: string[]) =>
      (await evaluated(untimed(lastOfEach), ["--recipe", "popularity", ...order], "userID,itemID")).order;
    assert.equal(await told(), "none");
    assert.equal(await told("--order", "user"), "user");
  });

  it("is tuned within the train file, never on what is switched off, and the same for the same seed", async () => {
    const words = ["--recipe", "item-knn", "--tune", "--trials", "5"];
    const tuned = await evaluated(byChance, words);
    assert.equal(tuned.trials, 5);
    assert.equal(tuned.params.recency, 1_000_000);
    assert.deepEqual((await evaluated(byChance, words)).params, tuned.params);
  });

  it("leaves out what is rated too low, and says so when nothing is left", async () => {
    const low = [...lastOfEach[0], "u0,i0,2,1000000001", "u99,i1,1,1000000001"];
    const words = ["--recipe", "popularity", "--min-rating", "4"];
    assert.equal((await evaluated([low, lastOfEach[1]], words)).coldUsers, 0);
    const none = evaluated(lastOfEach, ["--recipe", "popularity", "--min-rating", "6"]);
    await assert.rejects(none, /expected rows rated at least 6, got none; lower --min-rating/);
  });
});
