import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { itemId, userId } from "../../../models/data/ids.ts";
import { Vocabulary } from "../../../models/data/vocabulary.ts";
import { cohortOf } from "../../../models/evaluation/cohorts.ts";
import { pairedDifferences } from "../../../models/evaluation/comparison.ts";
import { evaluate, summary } from "../../../models/evaluation/evaluate.ts";
import { popularityShares } from "../../../models/evaluation/novelty.ts";
import type { RequestSet } from "../../../models/evaluation/requests.ts";
import type { Recommender, ScoredItem } from "../../../models/recommender.ts";

const items = new Vocabulary([..."abcdef"].map(itemId));
const popularity = popularityShares([8, 4, 2, 1, 1, 0]);
const options = { k: 2, items, popularity, seed: 1 };

const asked = (user: string, history: string, relevant: string) => ({
  user: userId(user),
  history: [...history].map((item, at) => ({ itemId: itemId(item), timestamp: at, weight: 1 })),
  relevant: [...relevant].map(itemId),
});

const setOf = (...requests: ReturnType<typeof asked>[]): RequestSet => ({
  requests,
  dropped: 0,
  coldTargets: 0,
  coldUsers: 0,
  users: new Set(requests.map(({ user }) => user)).size,
});

const listed = (letters: string): ScoredItem[] =>
  [...letters].map((item, place) => ({ itemId: itemId(item), score: -place }));

/** Answers by the last item of the history. */
const scripted = (lists: Record<string, ScoredItem[]>): Recommender => ({
  phase: 1,
  recipe: "scripted",
  recommend: ({ history }) => ({ items: lists[history.at(-1)?.itemId ?? ""], source: "model" }),
});

describe("evaluate", () => {
  it("averages within a user before it averages over users", () => {
    const set = setOf(asked("u", "a", "b"), asked("u", "b", "c"), asked("u", "c", "d"), asked("v", "d", "a"));
    const recommender = scripted({ a: listed("bc"), b: listed("ad"), c: listed("ab"), d: listed("ab") });
    const { perUser, metrics, ndcg } = evaluate(recommender, set, options);
    assert.deepEqual(
      perUser.map((row) => [row.user, row.ndcg, row.requests]),
      [
        ["u", 1 / 3, 3],
        ["v", 1, 1],
      ],
    );
    assert.equal(ndcg.mean, (1 / 3 + 1) / 2);
    assert.equal(metrics.ndcg, ndcg.mean);
    assert.equal(metrics.coverage, 4 / 6);
  });

  it("counts the users each item was shown to, once a user", () => {
    const set = setOf(asked("u", "a", "b"), asked("u", "b", "c"), asked("v", "a", "c"));
    const { exposure } = evaluate(scripted({ a: listed("cd"), b: listed("ce") }), set, options);
    assert.deepEqual([...exposure], [0, 0, 2, 2, 1, 0]);
  });

  it("gives no credit to a list that breaks a rule, and counts the fault", () => {
    const cases: [string, ScoredItem[]][] = [
      ["seen-item", listed("ab")],
      ["duplicate-item", listed("bb")],
      ["long-list", listed("bcd")],
      ["non-finite-score", [...listed("b"), { itemId: itemId("c"), score: Number.NaN }]],
    ];
    for (const [fault, list] of cases) {
      const { faults, ndcg } = evaluate(scripted({ a: list }), setOf(asked("u", "a", "b")), options);
      assert.equal(faults[fault as keyof typeof faults], 1, fault);
      assert.equal(ndcg.mean, 0, fault);
    }
  });

  it("lets a short list keep its hits, and does not call it short when nothing else is left", () => {
    const short = evaluate(scripted({ a: listed("b") }), setOf(asked("u", "a", "b")), options);
    assert.equal(short.faults["short-list"], 1);
    assert.equal(short.ndcg.mean, 1);
    const exhausted = evaluate(scripted({ e: listed("f") }), setOf(asked("u", "abcde", "f")), options);
    assert.equal(exhausted.faults["short-list"], 0);
  });

  it("scores a user without train rows too: dropped and scored 0 are different things", () => {
    const set = setOf(asked("u", "a", "b"), asked("cold", "", "f"));
    const { users, ndcg } = evaluate(scripted({ a: listed("bc"), "": listed("ab") }), set, options);
    assert.equal(users, 2);
    assert.equal(ndcg.mean, 0.5);
  });

  it("refuses an empty request set instead of reporting a mean of nothing", () => {
    assert.throws(() => evaluate(scripted({}), setOf(), options), /expected at least one request/);
  });

  it("tells how far it is", () => {
    const progress: number[] = [];
    const set = setOf(asked("u", "a", "b"), asked("v", "a", "b"));
    evaluate(scripted({ a: listed("bc") }), set, { ...options, onProgress: (done) => progress.push(done) });
    assert.deepEqual(progress, [1, 2]);
  });

  it("has a summary that fits in a manifest", () => {
    const text = JSON.stringify(
      summary(evaluate(scripted({ a: listed("bc") }), setOf(asked("u", "a", "b")), options), 1),
    );
    assert.ok(!text.includes("perUser") && !text.includes("null"));
  });
});

describe("comparison", () => {
  const set = setOf(asked("u", "a", "b"), asked("v", "b", "c"));
  const good = evaluate(scripted({ a: listed("bc"), b: listed("cd") }), set, options);
  const half = evaluate(scripted({ a: listed("bc"), b: listed("ad") }), set, options);

  it("pairs by user, whatever the order", () => {
    const reversed = { ...good, perUser: [...good.perUser].reverse() };
    assert.deepEqual(pairedDifferences(reversed, half), [
      { user: "u", difference: 0, baseline: half.perUser[0].ndcg },
      { user: "v", difference: 1, baseline: half.perUser[1].ndcg },
    ]);
  });

  it("refuses evaluations on different users or requests", () => {
    const other = evaluate(scripted({ a: listed("bc") }), setOf(asked("u", "a", "b")), options);
    assert.throws(() => pairedDifferences(good, other), /expected the same users/);
    const stranger = evaluate(
      scripted({ a: listed("bc") }),
      setOf(asked("u", "a", "b"), asked("w", "a", "b")),
      options,
    );
    assert.throws(() => pairedDifferences(good, stranger), /user w on both sides/);
  });

  it("splits users by what was known at their first request", () => {
    assert.deepEqual(
      [4, 5, 49, 50].map((length) => cohortOf(length)),
      ["cold", "light", "light", "heavy"],
    );
    const cohorts = summary(half, 1).intervals?.cohorts;
    assert.deepEqual(Object.keys(cohorts ?? {}), ["cold"]);
    assert.equal(cohorts?.cold?.users, 2);
    assert.equal(cohorts?.cold?.metrics.ndcg.mean, 0.5);
  });
});
