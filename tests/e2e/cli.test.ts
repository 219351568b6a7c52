import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { ModelCard } from "../../models/card/card.ts";
import { writeSafetensors } from "../../models/safetensors/safetensors.ts";
import type { JobView } from "../../services/queues/types.ts";
import type { DecisionSummary } from "../../services/registry/decision-summary.ts";
import type { LivePointer, RollbackResult, VersionRecord } from "../../services/registry/types.ts";
import type { Ladder } from "../../services/serving/routes/ladder.ts";
import type { Released } from "../../services/serving/routes/promotion.ts";
import { eventually } from "../support/eventually.ts";
import { type Service, startService } from "../support/service.ts";
import { writeSmallData } from "../support/small-data.ts";
import { hasTerminal } from "../support/terminal.ts";

/** User u<n> has seen the first so many of the items: so popularity falls from a to f without a tie. */
const SEEN: Readonly<Record<string, string>> = {
  u1: "abcdef",
  u2: "abcde",
  u3: "abcd",
  u4: "abc",
  u5: "ab",
  u6: "a",
};
const NEXT: Readonly<Record<string, string>> = { u2: "f", u3: "ef", u4: "f", u5: "cf", u6: "bd" };
const K = 2;

const rows = (lists: Readonly<Record<string, string>>): string[] =>
  Object.entries(lists).flatMap(([user, items]) => [...items].map((item) => `${user},${item},1`));

/** Popular items not seen yet, in order; gain 1/log2(rank + 1) a hit, over the best that was possible. */
function bruteForce(): { ndcg: number; recall: number; precision: number; hitRate: number; mrr: number } {
  const gain = (rank: number): number => 1 / Math.log2(rank + 1);
  const users = Object.entries(NEXT).map(([user, next]) => {
    const list = [..."abcdef"].filter((item) => !SEEN[user].includes(item)).slice(0, K);
    const ranks = list.flatMap((item, place) => (next.includes(item) ? [place + 1] : []));
    const best = [...next].slice(0, K).reduce((sum, _, place) => sum + gain(place + 1), 0);
    return {
      ndcg: ranks.reduce((sum, rank) => sum + gain(rank), 0) / best,
      recall: ranks.length / next.length,
      precision: ranks.length / K,
      hitRate: ranks.length > 0 ? 1 : 0,
      mrr: ranks.length > 0 ? 1 / ranks[0] : 0,
    };
  });
  const mean = (of: keyof (typeof users)[number]): number =>
    users.reduce((sum, user) => sum + user[of], 0) / users.length;
  return {
    ndcg: mean("ndcg"),
    recall: mean("recall"),
    precision: mean("precision"),
    hitRate: mean("hitRate"),
    mrr: mean("mrr"),
  };
}

describe("the command line", () => {
  let service: Service;
  let url: string;
  let popular: string;
  let knn: string;

  const json = async <T>(words: readonly string[], expectedCode = 0): Promise<T> => {
    const { code, stdout, stderr } = await service.cli([...words, "--json"], url);
    assert.equal(code, expectedCode, `${words.join(" ")}: ${stderr}`);
    return JSON.parse(stdout) as T;
  };

  before(async () => {
    service = await startService({
      screen: { minimumUsers: 10 },
      shadow: { minimumUsers: 20 },
      schedule: { judgeEverySeconds: 3600 },
    });
    ({ url } = await service.startApi());
    await service.startWorker();
  });
  after(() => service.stop());

  for (const [title, header] of [
    ["with a header", ["userId,itemId,rating"]],
    ["without a header", []],
  ] as const) {
    it(`evaluates popularity on files ${title} as a brute force does`, async () => {
      const [train, test] = ["train.csv", "test.csv"].map((name) => join(service.home, name));
      await writeFile(train, `${[...header, ...rows(SEEN)].join("\n")}\n`);
      await writeFile(test, `${[...header, ...rows(NEXT)].join("\n")}\n`);
      const words = [
        "evaluate",
        "--train",
        train,
        "--test",
        test,
        "--recipe",
        "popularity",
        "--k",
        String(K),
      ];
      const result = await json<Record<string, number>>(words);
      for (const [metric, expected] of Object.entries(bruteForce())) {
        assert.ok(Math.abs(result[metric] - expected) < 1e-12, `${metric}: ${result[metric]} ≠ ${expected}`);
      }
      assert.equal(result.users, 5);
      assert.equal(result.k, K);
      for (const metric of ["map", "coverage", "gini", "novelty", "cappedRecall", "fitSeconds"]) {
        assert.ok(Number.isFinite(result[metric]), metric);
      }
    });
  }

  it("imports a folder of recorded data", async () => {
    const data = await writeSmallData(service.home, { users: 150, events: 3000 });
    const summary = await json<{ snapshot: { rows: number; sha256: string }; seeded: number }>([
      "import",
      "--data",
      data,
    ]);
    assert.equal(summary.snapshot.rows, 3000);
    assert.equal(summary.seeded, 3000);
    assert.match(summary.snapshot.sha256, /^[0-9a-f]{64}$/);
  });

  it("trains, shows the ladder and makes the first version live", async () => {
    const job = await json<JobView>(["train", "--phase", "1"]);
    assert.equal(job.state, "completed");
    popular = (job.result as { version: string }).version;
    const reason = ["--reason", "the floor"];
    const live = await json<LivePointer>(["promote", popular, "--expected-live", "none", ...reason]);
    assert.equal(live.version, popular);
    knn = ((await json<JobView>(["train", "--phase", "2", "--analyse"])).result as { version: string })
      .version;
    const ladder = await json<Ladder>(["ladder"]);
    assert.equal(ladder.live?.version, popular);
    assert.deepEqual(
      ladder.phases.map(({ versions }) => versions.map(({ version }) => version)),
      [[popular], [knn], [], []],
    );
    const { stdout } = await service.cli(["ladder"], url);
    assert.match(stdout, /LIVE[\s\S]*Verdicts/);
  });

  it("explains a version: levers, learning curve and diagnosis, in JSON and in Markdown", async () => {
    // Training was told to; asking again finds every fit remembered.
    await eventually(
      async () => (await json<ModelCard>(["card", knn])).analysis !== null,
      "an analysis",
      60_000,
    );
    const card = await json<ModelCard>(["card", knn, "--analyse"]);
    assert.equal(card.version, knn);
    assert.equal(card.diagnosis?.baseline, popular);
    assert.equal(card.learningCurve?.points.length, 3);
    assert.ok(
      card.holdout.intervals !== undefined && card.holdout.intervals.all.users === card.holdout.users,
    );
    const { stdout } = await service.cli(["card", knn], url);
    assert.match(stdout, /## Would more data help\?\n\n(More|Whether more) data would/);
    const { phases } = await json<Ladder>(["ladder"]);
    const shown = phases[1].versions[0].diagnosis;
    assert.equal(shown === null, card.diagnosis?.diagnosis === null);
  });

  it("lists decisions in words, and holds while the shadow has seen nobody (exit code 4)", async () => {
    const [screened] = await json<readonly DecisionSummary[]>(["decisions"]);
    assert.equal(screened.challenger, knn);
    assert.match(screened.sentence, /holdout/);
    const judgements = await json<readonly { challenger: string; verdict: string }[]>(["shadow"], 4);
    assert.deepEqual(
      judgements.map(({ challenger, verdict }) => [challenger, verdict]),
      [[knn, "hold"]],
    );
    const { phases } = await json<Ladder>(["ladder"]);
    const look = phases[1].versions[0].lastLook;
    assert.deepEqual([look?.verdict, look?.baseline], ["hold", popular]);
    assert.match(look?.sentence ?? "", /^Held: no user has been judged yet/);
    assert.match(
      (await service.cli(["ladder"], url)).stdout,
      /item-knn-[0-9a-f]{12} \(SHADOWING\): Held: no user has been judged yet/,
    );
  });

  it("tells a pipeline where the gate stands: 0 live or eligible, 6 held, 1 for a version that is not there", async () => {
    const held = await json<{ state: string; sentence: string }>(["judge", knn, "--exit-code"], 6);
    assert.equal(held.state, "SHADOWING");
    assert.match(held.sentence, /^Held: no user/);
    assert.equal((await service.cli(["judge", knn], url)).code, 0, "without the flag it only tells");
    await json(["judge", popular, "--exit-code"], 0);
    const { code, stderr } = await service.cli(["judge", "als-000000000000", "--exit-code"], url);
    assert.deepEqual([code, /als-000000000000/.test(stderr)], [1, true]);
  });

  it("refuses a promotion over a version that is not live, or that the gate does not back (exit code 3)", async () => {
    const promote = ["promote", knn, "--reason", "trying"];
    for (const [expectedLive, said] of [
      [knn, /to be live/],
      [popular, /ELIGIBLE/],
    ] as const) {
      const { code, stdout, stderr } = await service.cli(
        [...promote, "--expected-live", expectedLive, "--json"],
        url,
      );
      assert.equal(code, 3, stderr);
      assert.equal(stdout, "");
      const { error } = JSON.parse(stderr) as { error: { message: string; code: number } };
      assert.match(error.message, said);
      assert.equal(error.code, 409);
    }
  });

  it("puts a share of the users on a canary, widens it, shows it, and ends it", async () => {
    const canary = ["promote", knn, "--expected-live", popular, "--reason", "a few first", "--force"];
    for (const share of [0.05, 0.25]) {
      const live = await json<LivePointer>([...canary, "--canary", String(share)]);
      assert.deepEqual([live.version, live.canary], [popular, { version: knn, share, forced: true }]);
    }
    assert.match((await service.cli(["ladder"], url)).stdout, /CANARY 25\s+%/);
    assert.match(
      (await service.cli([...canary, "--canary", "0"], url)).stdout,
      /no canary; live for everybody/,
    );
    assert.equal((await json<Ladder>(["ladder"])).live?.canary, null);
  });

  it("promotes by force, and rolls back once however often it is asked", async () => {
    const forced = ["--expected-live", popular, "--reason", "trying", "--force"];
    assert.equal((await json<LivePointer>(["promote", knn, ...forced])).version, knn);
    const rollback = ["rollback", "--expected-live", knn, "--reason", "and back"];
    const first = await json<RollbackResult>(rollback);
    assert.deepEqual([first.changed, first.left, first.live.version], [true, knn, popular]);
    const second = await json<RollbackResult>(rollback);
    assert.deepEqual([second.changed, second.live.version], [false, popular]);
    const entries = await json<readonly { action: string }[]>(["audit"]);
    assert.equal(entries.filter(({ action }) => action === "rollback").length, 1);
    const words = await service.cli(["rollback", "--reason", "again"], url);
    assert.match(
      words.stdout,
      new RegExp(`^Nothing to do: ${knn} was left \\d+ s ago already, and ${popular}`),
    );
    assert.equal((await service.cli(["rollback"], url)).code, 2);
  });

  it("releases what an operator left, plans a rollback without making it, and goes to a named rung", async () => {
    const release = ["release", knn, "--reason", "the complaints were about the feed"];
    const { changed, record } = await json<Released>(release);
    assert.deepEqual([changed, record.state], [true, "STALE"]);
    assert.equal((await json<Released>(release)).changed, false);
    const forced = ["--expected-live", popular, "--reason", "trying again", "--force"];
    await json<LivePointer>(["promote", knn, ...forced]);
    assert.match(
      (await service.cli(["ladder"], url)).stdout,
      new RegExp(`rollback returns to\\s+${popular}`),
    );
    const plan = await json<RollbackResult>(["rollback", "--to", "phase", "1", "--dry-run"]);
    assert.deepEqual([plan.changed, plan.dryRun, plan.left, plan.to], [true, true, knn, popular]);
    assert.equal((await json<Ladder>(["ladder"])).live?.version, knn);
  });

  it("asks on a terminal before it rolls back, and leaves it on any other answer", {
    skip: hasTerminal ? false : "no `script` of util-linux to make a terminal with",
  }, async () => {
    const rollback = ["rollback", "--to", "floor", "--reason", "a second thought"];
    const question = new RegExp(`live is ${knn} since .+; go back to ${popular}\\?`);
    const no = await service.ask(rollback, url, question, "no");
    assert.deepEqual([no.code, /left as it is/.test(no.shown)], [1, true], no.shown);
    assert.equal((await json<Ladder>(["ladder"])).live?.version, knn);
    const yes = await service.ask(rollback, url, question, "y");
    assert.equal(yes.code, 0, yes.shown);
    assert.match(yes.shown, new RegExp(`Left ${knn} for ${popular}`));
    const again = await service.ask(rollback, url, /./, "");
    assert.match(again.shown, new RegExp(`Nothing to do: ${popular} is live already`));
  });

  it("says so when nothing answers (exit code 5)", async () => {
    const { code, stdout, stderr } = await service.cli(["ladder", "--json"]);
    assert.equal(code, 5);
    assert.equal(stdout, "");
    assert.match((JSON.parse(stderr) as { error: { message: string } }).error.message, /npm start/);
  });

  it("exports the factors of a version and registers them again, by the lines of the README", async () => {
    const words = ["train", "--phase", "3", "--recipe", "als", "--params", '{"embeddingSize":8,"epochs":2}'];
    const { result } = await json<JobView>(words);
    const { version } = result as { version: string };
    const [factors, items] = ["factors.safetensors", "items.csv"].map((name) => join(service.home, name));
    const written = await json<{ items: number }>(["export-model", version, factors, "--items", items]);
    assert.ok(written.items > 0);
    const again = ["import-model", "--phase", "3", "--recipe", "name", factors, "--items", items];
    const imported = await json<{ version: string }>(again);
    assert.match(imported.version, /^imported-name-[0-9a-f]{12}$/);
    const { code, stderr } = await service.cli(["export-model", popular, factors, "--items", items], url);
    assert.equal(code, 1);
    assert.match(stderr, /expected a model of item factors/);
  });

  it("registers item factors trained elsewhere, and says that the holdout does not judge them", async () => {
    const items = join(service.home, "recorded", "movies.csv");
    const rows = (await readFile(items, "utf8")).trim().split("\n").length - 1;
    const itemFactors = {
      shape: [rows, 2],
      data: Float32Array.from({ length: 2 * rows }, (_, at) => at % 7),
    };
    const file = join(service.home, "factors.safetensors");
    await writeFile(
      file,
      writeSafetensors({ tensors: new Map([["itemFactors", itemFactors]]), metadata: new Map() }),
    );
    const words = ["import-model", file, "--phase", "3", "--recipe", "elsewhere", "--items", items];
    const imported = await json<{ version: string; judgedOffline: boolean; record: VersionRecord }>(words);
    assert.match(imported.version, /^imported-elsewhere-[0-9a-f]{12}$/);
    assert.equal(imported.judgedOffline, false);
    assert.match(imported.record.reason, /only the shadow decides/);
    const { stdout } = await service.cli(["ladder"], url);
    assert.match(stdout, /imported-elsewhere/);
    const { code, stderr } = await service.cli([...words.slice(0, -1), file], url);
    assert.equal(code, 1);
    assert.match(stderr, /expected (a column itemId|CSV with a header)/);
  });

  for (const words of [
    ["ascend"],
    ["train"],
    ["train", "--phase", "two"],
    ["evaluate", "--train", "only.csv"],
    ["promote", "a-version", "--reason", "no expectation given"],
    ["promote", "a-version", "--expected-live", "b", "--reason", "too many", "--canary", "1.5"],
  ]) {
    it(`refuses wrong usage with exit code 2: ${words.join(" ")}`, async () => {
      const { code, stdout, stderr } = await service.cli(words, url);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, "");
      assert.notEqual(stderr, "");
    });
  }

  it("names the file and the remedy when data cannot be read (exit code 1)", async () => {
    const words = ["evaluate", "--train", "/nowhere.csv", "--test", "/nowhere.csv", "--recipe", "popularity"];
    const { code, stderr } = await service.cli([...words, "--json"], url);
    assert.equal(code, 1);
    assert.match((JSON.parse(stderr) as { error: { message: string } }).error.message, /nowhere\.csv/);
  });

  it("names the recipes when one does not exist (exit code 1)", async () => {
    const files = ["--train", join(service.home, "train.csv"), "--test", join(service.home, "test.csv")];
    const { code, stderr } = await service.cli(["evaluate", ...files, "--recipe", "magic", "--json"], url);
    assert.equal(code, 1);
    assert.match(stderr, /item-knn/);
  });
});
