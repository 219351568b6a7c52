import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { itemId } from "../../../models/data/ids.ts";
import type { Recommendation } from "../../../models/recommender.ts";
import { attempt } from "../../../services/serving/attempt.ts";
import type { ServedModel } from "../../../services/serving/served-model.ts";

const list = (score: number): Recommendation => ({
  items: [{ itemId: itemId("a"), score }],
  source: "model",
});

function modelThat(recommend: () => Recommendation): ServedModel {
  return {
    version: "v-1",
    phase: 1,
    recipe: "popularity",
    recommender: { phase: 1, recipe: "popularity", recommend },
    items: new Set(),
  };
}

/** Gives these times one after the other. */
function clock(...timesMs: number[]): () => number {
  return () => timesMs.shift() ?? Number.NaN;
}

describe("one attempt at an answer", () => {
  const query = { history: [], k: 1 };

  it("is answered with what it took, at the limit too", () => {
    const asked = attempt(
      modelThat(() => list(1)),
      query,
      50,
      clock(100, 150),
    );
    assert.deepEqual(asked, { outcome: "answered", recommendation: list(1), elapsedMs: 50 });
  });

  it("is slow beyond the limit, and the answer is there all the same", () => {
    const asked = attempt(
      modelThat(() => list(1)),
      query,
      50,
      clock(0, 80),
    );
    assert.equal(asked.outcome, "slow");
    assert.deepEqual(asked.recommendation, list(1));
    assert.match(
      String(asked.outcome === "slow" && asked.failure.message),
      /^v-1: expected an answer within 50 ms, got one after 80 ms$/,
    );
  });

  it("has failed when the model throws or gives a score that is not finite", () => {
    const thrown = new Error("broken");
    const failing = attempt(
      modelThat(() => {
        throw thrown;
      }),
      query,
      50,
    );
    assert.deepEqual(failing, { outcome: "failed", recommendation: null, elapsedMs: null, failure: thrown });
    assert.equal(
      attempt(
        modelThat(() => list(Number.NaN)),
        query,
        50,
      ).outcome,
      "failed",
    );
  });
});
