import assert from "node:assert/strict";
import { it } from "node:test";
import { cutPosition } from "../../../models/data/interaction-log.ts";
import { trainingSet } from "../../../models/data/interaction-matrix.ts";
import { evaluate } from "../../../models/evaluation/evaluate.ts";
import { popularityShares } from "../../../models/evaluation/novelty.ts";
import { prequentialRequests } from "../../../models/evaluation/requests.ts";
import { fitModel, recommenderOf } from "../../../models/model.ts";
import { counts } from "../../../models/popularity/counts.ts";
import { movieLensLog } from "../../support/interaction-logs.ts";

const data = process.env.PHASEWISE_DATA;
const skip = data === undefined ? "set PHASEWISE_DATA to a MovieLens folder to run it" : false;

// Measured with an independent NumPy implementation of the protocol, ml-latest-small.
const EXPECTED = [
  { cut: 0.8, users: 115, popularity: 0.05, "popular-lately": 0.087 },
  { cut: 0.6, users: 254, popularity: 0.048, "popular-lately": 0.071 },
] as const;

for (const expected of EXPECTED) {
  it(`reproduces the popularity figures on MovieLens at cut ${expected.cut}`, { skip }, async (t) => {
    const log = movieLensLog(data ?? "");
    const from = cutPosition(log, expected.cut);
    const train = trainingSet(log, new Map(), { to: from, minItemInteractions: 5 });
    const recommendable = train.interactions.items;
    const set = prequentialRequests(log, { from, recommendable, seed: 1 });
    assert.ok(Math.abs(set.users - expected.users) <= 1, `${set.users} users`);
    for (const recipe of ["popularity", "popular-lately"] as const) {
      const { model } = await fitModel(recipe, train, {}, { seed: 1 });
      const evaluation = evaluate(recommenderOf(model), set, {
        items: recommendable,
        popularity: popularityShares(counts(train)),
        seed: 1,
      });
      const { mean, low, high } = evaluation.ndcg;
      t.diagnostic(
        `${recipe}: nDCG@10 ${mean.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}], ${set.users} users, ${set.requests.length} requests, ${set.dropped} dropped`,
      );
      assert.ok(Math.abs(mean - expected[recipe]) < 0.005, `${recipe}: ${mean}`);
    }
  });
}
