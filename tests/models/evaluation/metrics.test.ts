import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { itemId } from "../../../models/data/ids.ts";
import { seededRandom, shuffle } from "../../../models/data/random.ts";
import { Vocabulary } from "../../../models/data/vocabulary.ts";
import { averagePrecision } from "../../../models/evaluation/average-precision.ts";
import { diversity } from "../../../models/evaluation/diversity.ts";
import { coverage, gini } from "../../../models/evaluation/exposure.ts";
import { hitRate, reciprocalRank } from "../../../models/evaluation/first-hit.ts";
import { ndcg } from "../../../models/evaluation/ndcg.ts";
import { novelty, popularityShares, selfInformation } from "../../../models/evaluation/novelty.ts";
import { overlap, rankBiasedOverlap } from "../../../models/evaluation/overlap.ts";
import { precision } from "../../../models/evaluation/precision.ts";
import { cappedRecall, recall } from "../../../models/evaluation/recall.ts";

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-12, `expected ${expected}, got ${actual}`);

describe("list metrics on a list checked by hand", () => {
  // Hits at ranks 2 and 4 of five; three items were right.
  const ranking = ["a", "b", "c", "d", "e"];
  const relevant = new Set(["b", "d", "z"]);

  it("gives nDCG its discounted hits over the best possible list", () => {
    const gain = 1 / Math.log2(3) + 1 / Math.log2(5);
    const ideal = 1 + 1 / Math.log2(3) + 1 / 2;
    near(ndcg(ranking, relevant, 5), gain / ideal);
  });
  it("averages precision at the hits over all relevant items, found or not", () => {
    near(averagePrecision(ranking, relevant, 5), (1 / 2 + 2 / 4) / 3);
  });
  it("divides hits by k for precision and by the relevant for recall", () => {
    near(precision(ranking, relevant, 5), 2 / 5);
    near(recall(ranking, relevant, 5), 2 / 3);
  });
  it("finds the first hit", () => {
    near(reciprocalRank(ranking, relevant, 5), 1 / 2);
    near(hitRate(ranking, relevant, 5), 1);
    near(reciprocalRank(ranking, relevant, 1), 0);
    near(hitRate(ranking, relevant, 1), 0);
  });
});

describe("traps of the definitions", () => {
  const ten = Array.from({ length: 10 }, (_, place) => `i${place}`);
  const twenty = new Set([...ten, ...Array.from({ length: 10 }, (_, place) => `j${place}`)]);

  it("cuts the ideal list at k, so ten hits of twenty relevant are perfect", () => {
    near(ndcg(ten, twenty, 10), 1);
  });
  it("tells recall from capped recall when more is relevant than fits", () => {
    near(recall(ten, twenty, 10), 0.5);
    near(cappedRecall(ten, twenty, 10), 1);
  });
  it("does not forgive a short list its missing places in precision", () => {
    near(precision(["i0"], new Set(["i0"]), 10), 0.1);
    near(ndcg(["i0"], new Set(["i0"]), 10), 1);
  });
  it("ignores what comes after place k", () => {
    near(ndcg(["x", "y", "i0"], new Set(["i0"]), 2), 0);
  });
  it("refuses a request without a relevant item instead of scoring it 0", () => {
    for (const metric of [ndcg, averagePrecision, precision, recall, cappedRecall, reciprocalRank, hitRate]) {
      assert.throws(() => metric(ten, new Set(), 10), /expected at least one relevant item/);
    }
  });
});

it("agrees with brute force on random lists", () => {
  const random = seededRandom(5);
  for (let round = 0; round < 300; round++) {
    const pool = Array.from({ length: 15 }, (_, item) => item);
    const ranking = shuffle([...pool], random).slice(0, 1 + random.integer(12));
    const relevant = new Set(shuffle([...pool], random).slice(0, 1 + random.integer(12)));
    const k = 1 + random.integer(12);
    const gains = Array.from({ length: k }, (_, rank) => (relevant.has(ranking[rank]) ? 1 : 0));
    const discounted = (values: number[]) =>
      values.reduce<number>((sum, gain, rank) => sum + gain / Math.log2(rank + 2), 0);
    const best = Array.from({ length: k }, (_, rank) => (rank < relevant.size ? 1 : 0));
    const hits = gains.filter((gain) => gain === 1).length;
    const precisions = gains.map((gain, rank) =>
      gain === 0 ? 0 : gains.slice(0, rank + 1).filter((one) => one === 1).length / (rank + 1),
    );
    near(ndcg(ranking, relevant, k), discounted(gains) / discounted(best));
    near(
      averagePrecision(ranking, relevant, k),
      precisions.reduce((sum, one) => sum + one, 0) / relevant.size,
    );
    near(precision(ranking, relevant, k), hits / k);
    near(recall(ranking, relevant, k), hits / relevant.size);
    near(cappedRecall(ranking, relevant, k), hits / Math.min(k, relevant.size));
    const first = gains.indexOf(1);
    near(reciprocalRank(ranking, relevant, k), first < 0 ? 0 : 1 / (first + 1));
    near(hitRate(ranking, relevant, k), hits > 0 ? 1 : 0);
  }
});

it("agrees with brute force on random pairs of lists", () => {
  const random = seededRandom(8);
  const draw = (): string[] =>
    Array.from(shuffle([...Array(14).keys()], random).slice(0, random.integer(11)), (item) => `i${item}`);
  const shared = (a: readonly string[], b: readonly string[]): number =>
    a.filter((item) => b.includes(item)).length;
  const p = 0.9;
  for (let round = 0; round < 300; round++) {
    const [a, b] = [draw(), draw()];
    const k = 1 + random.integer(12);
    const [first, second] = [a.slice(0, k), b.slice(0, k)];
    const longer = Math.max(first.length, second.length);
    near(overlap(a, b, k), longer === 0 ? 1 : shared(first, second) / longer);
    if (a.length === 0 || b.length === 0) {
      near(rankBiasedOverlap(a, b), a.length === b.length ? 1 : 0);
      continue;
    }
    // RBO_ext: agreement at every depth, beyond the shorter list its own agreement carried on, beyond both the last.
    const [s, l] = [Math.min(a.length, b.length), Math.max(a.length, b.length)];
    const atShort = shared(a.slice(0, s), b.slice(0, s));
    const agreement = (depth: number): number =>
      (shared(a.slice(0, depth), b.slice(0, depth)) + Math.max(0, depth - s) * (atShort / s)) / depth;
    let expected = 0;
    for (let depth = 1; depth <= l; depth++) expected += (1 - p) * p ** (depth - 1) * agreement(depth);
    near(rankBiasedOverlap(a, b), expected + p ** l * agreement(l));
  }
});

it("agrees with brute force on random catalogues", () => {
  const random = seededRandom(9);
  const kinds = ["Drama", "War", "Comedy", "Crime"];
  for (let round = 0; round < 100; round++) {
    const ids = Array.from({ length: 12 }, (_, item) => itemId(`i${item}`));
    const counts = ids.map(() => random.integer(5));
    counts[0]++;
    const total = counts.reduce((sum, count) => sum + count, 0);
    const genres = ids.map(() => kinds.filter(() => random.next() < 0.5));
    const catalogue = new Map(ids.map((id, item) => [id, { title: id, genres: genres[item] }]));
    const picks = Array.from(shuffle([...ids.keys()], random).slice(0, 1 + random.integer(8)));
    const rarest = Math.min(...counts.filter((count) => count > 0));
    const bits = picks.map((item) => -Math.log2((counts[item] || rarest) / total));
    const information = selfInformation(new Vocabulary(ids), popularityShares(counts));
    const found = novelty(
      picks.map((item) => ids[item]),
      information,
    );
    // Shares are float32.
    assert.ok(Math.abs(found - bits.reduce((sum, one) => sum + one, 0) / picks.length) < 1e-5);

    const vectors = picks.map((item) => kinds.map((kind) => (genres[item].includes(kind) ? 1 : 0)));
    const dot = (x: number[], y: number[]): number =>
      x.reduce<number>((sum, one, at) => sum + one * y[at], 0);
    const cosines = vectors.flatMap((x, at) =>
      vectors.slice(at + 1).map((y) => (dot(x, y) === 0 ? 0 : dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y)))),
    );
    const similarity = cosines.reduce((sum, one) => sum + one, 0) / (cosines.length || 1);
    near(
      diversity(
        picks.map((item) => ids[item]),
        catalogue,
      ),
      1 - similarity,
    );
    near(coverage(counts), counts.filter((count) => count > 0).length / 12);
  }
});

describe("exposure", () => {
  it("counts distinct items over the whole catalogue", () => {
    near(coverage([3, 0, 1, 0]), 0.5);
  });
  it("is 0 for even exposure and (n − 1)/n when one item takes all", () => {
    near(gini([2, 2, 2, 2]), 0);
    near(gini([0, 0, 0, 9]), 3 / 4);
    near(gini([0, 0, 0]), 0);
  });
  it("has the Gini of mean absolute differences", () => {
    const shown = [5, 1, 0, 7, 7, 2];
    let differences = 0;
    for (const a of shown) for (const b of shown) differences += Math.abs(a - b);
    const total = shown.reduce((sum, one) => sum + one, 0);
    near(gini(shown), differences / (2 * shown.length * total));
  });
});

describe("novelty and diversity", () => {
  const [a, b, c] = [itemId("a"), itemId("b"), itemId("c")];

  it("is the mean of −log2 of the popularity share", () => {
    const information = selfInformation(new Vocabulary([a, b, c]), popularityShares([4, 2, 2]));
    near(novelty([a, b], information), (1 + 2) / 2);
  });
  it("treats an item without popularity as the rarest, never as infinitely novel", () => {
    const information = selfInformation(new Vocabulary([a, b, c]), popularityShares([3, 1, 0]));
    near(information(c), 2);
    near(information(itemId("elsewhere")), 2);
  });
  it("is one minus the mean genre cosine of all pairs", () => {
    const catalogue = new Map([
      [a, { title: "A", genres: ["Drama", "War"] }],
      [b, { title: "B", genres: ["Drama"] }],
      [c, { title: "C", genres: ["Comedy"] }],
    ]);
    near(diversity([a, b, c], catalogue), 1 - 1 / Math.sqrt(2) / 3);
    near(diversity([a, a], catalogue), 0);
  });
  it("cannot tell two lists apart without genres", () => {
    near(diversity([a, b, c], new Map()), 1);
    near(diversity([a], new Map()), 1);
  });
});

describe("overlap of two lists", () => {
  it("is the shared part of the longer list", () => {
    near(overlap(["a", "b", "c"], ["c", "a", "x"], 3), 2 / 3);
    near(overlap(["a", "b"], ["a", "b"], 10), 1);
    near(overlap(["a"], ["a", "b"], 10), 1 / 2);
    near(overlap([], [], 10), 1);
  });
  it("ranks agreement at the top above agreement below", () => {
    const list = [..."abcdef"];
    assert.ok(rankBiasedOverlap(list, [..."abcxyz"]) > rankBiasedOverlap(list, [..."xyzdef"]));
    near(rankBiasedOverlap(list, list), 1);
    near(rankBiasedOverlap(list, [..."uvwxyz"]), 0);
  });
  it("has the values of the published formula, also for lists of different length", () => {
    // python3: rbo_ext(S, L, p) of equation 32 written with sets, p = .9
    near(rankBiasedOverlap([..."abcdefg"], [..."bacxeyz"]), 0.6212095714285714);
    near(rankBiasedOverlap([..."abc"], [..."cbxaz"]), 0.734445);
  });
});
