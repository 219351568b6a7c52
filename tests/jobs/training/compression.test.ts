import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type RetrainResult, retrain } from "../../../jobs/training/retrain.ts";
import type { Manifest } from "../../../models/artifact/manifest.ts";
import { modelCard } from "../../../models/card/card.ts";
import { cardMarkdown } from "../../../models/card/card-markdown.ts";
import type { RetrainPayload } from "../../../services/queues/types.ts";
import { type JobRig, startJobRig } from "../rig.ts";

const ORDER: RetrainPayload = {
  phase: 3,
  recipe: "als",
  params: { embeddingSize: 8, epochs: 4, compression: "int8" },
  seed: 1,
  requestedBy: "tests",
};

describe("a retrain of a compressed model", () => {
  let rig: JobRig;
  const manifestOf = async ({ version }: RetrainResult): Promise<Manifest> =>
    (await rig.context.artifacts.manifest(version)).manifest;

  before(async () => {
    rig = await startJobRig();
  });
  after(() => rig.stop());

  it("measures on the holdout what compression cost, and its card says it", async () => {
    const manifest = await manifestOf(await retrain(rig.context, ORDER));
    const { compression, offline } = manifest;
    assert.ok(compression !== undefined);
    assert.equal(compression.k, 10);
    assert.equal(compression.users, offline.users);
    assert.ok(compression.overlap.mean > 0.9 && compression.overlap.high <= 1);
    assert.ok(
      compression.ndcg.low <= compression.ndcg.mean && compression.ndcg.mean <= compression.ndcg.high,
    );
    assert.ok(compression.bytesShare < 1);
    const card = modelCard(manifest, null);
    assert.deepEqual(card.compression, compression);
    assert.match(
      cardMarkdown(card),
      /Compressed: its arrays take \d+ % of their exact bytes\. .*overlap@10 0\.9\d+ \[.*nDCG@10 [+−]0\.\d{4} \[[+−].* users\./,
    );
  });

  it("keeps the figures with the evaluation, which is not measured again", async () => {
    const { params, seed, recipe, data, compression } = await manifestOf(await retrain(rig.context, ORDER));
    const key = { dataSha256: data.sha256, recipe, params, seed };
    assert.deepEqual((await rig.context.evaluations.get(key))?.compression, compression);
  });

  it("says nothing of it when nothing is compressed", async () => {
    const exact = await manifestOf(
      await retrain(rig.context, { ...ORDER, params: { embeddingSize: 8, epochs: 4 } }),
    );
    assert.equal(exact.compression, undefined);
    assert.equal(modelCard(exact, null).compression, null);
    assert.doesNotMatch(cardMarkdown(modelCard(exact, null)), /Compressed/);
  });

  it("measures a blend whose members are compressed", async () => {
    const params = {
      "als.embeddingSize": 8,
      "als.epochs": 2,
      "als.compression": "int8",
    };
    const { compression } = await manifestOf(
      await retrain(rig.context, { ...ORDER, recipe: "slist-als", params }),
    );
    assert.ok(compression !== undefined && compression.bytesShare < 1);
  });
});
