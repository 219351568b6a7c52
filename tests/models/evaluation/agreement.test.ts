import assert from "node:assert/strict";
import { test } from "node:test";
import { itemId, userId } from "../../../models/data/ids.ts";
import { agreement } from "../../../models/evaluation/agreement.ts";
import { rankBiasedOverlap } from "../../../models/evaluation/overlap.ts";
import type { Recommender } from "../../../models/recommender.ts";

/** Answers by the last item of the history. */
const scripted = (lists: Record<string, string>): Recommender => ({
  phase: 1,
  recipe: "scripted",
  recommend: ({ history }) => ({
    items: [...lists[history[history.length - 1].itemId]].map((item, place) => ({
      itemId: itemId(item),
      score: -place,
    })),
    source: "model",
  }),
});
const asked = (user: string, last: string) => ({
  user: userId(user),
  history: [{ itemId: itemId(last), timestamp: 0, weight: 1 }],
  relevant: [itemId("z")],
});

test("two models agree by what each user's last request shows of both", () => {
  const requests = [asked("u", "x"), asked("u", "a"), asked("v", "b")];
  const one = scripted({ a: "cde", b: "cde", x: "zzz" });
  const other = scripted({ a: "cde", b: "dfg", x: "cde" });
  const { overlap, rankBiased, users } = agreement(one, other, { requests }, { k: 3, seed: 1 });
  assert.equal(users, 2);
  assert.ok(Math.abs(overlap.mean - (1 + 1 / 3) / 2) < 1e-12);
  assert.ok(Math.abs(rankBiased.mean - (1 + rankBiasedOverlap([..."cde"], [..."dfg"])) / 2) < 1e-12);
  assert.ok(overlap.low <= overlap.mean && overlap.mean <= overlap.high);
});

test("a model agrees with itself", () => {
  const requests = [asked("u", "a"), asked("v", "b")];
  const one = scripted({ a: "cde", b: "fgh" });
  const { overlap, rankBiased } = agreement(one, one, { requests }, { k: 3, seed: 1 });
  assert.deepEqual(overlap, { mean: 1, low: 1, high: 1 });
  assert.ok(Math.abs(rankBiased.low - 1) < 1e-12);
});
