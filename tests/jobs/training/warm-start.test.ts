import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type RetrainResult, retrain } from "../../../jobs/training/retrain.ts";
import { refresh } from "../../../jobs/upkeep/refresh.ts";
import type { RetrainPayload } from "../../../services/queues/types.ts";
import { type JobRig, startJobRig } from "../rig.ts";

const ORDER: RetrainPayload = {
  phase: 3,
  recipe: "als",
  params: { embeddingSize: 8, epochs: 10 },
  seed: 1,
  requestedBy: "tests",
};

describe("a warm start", () => {
  let rig: JobRig;
  let live: RetrainResult;
  const training = async ({ version }: RetrainResult) =>
    (await rig.context.artifacts.manifest(version)).manifest.training;

  before(async () => {
    rig = await startJobRig();
    const floor = await retrain(rig.context, { ...ORDER, phase: 1, recipe: "popularity", params: {} });
    live = await retrain(rig.context, ORDER);
    const terms = { reason: "tests", actor: "tests", force: true };
    await rig.context.registry.promote({ ...terms, version: floor.version, expectedLive: null });
    await rig.context.registry.promote({ ...terms, version: live.version, expectedLive: floor.version });
    await rig.traffic(1);
  });
  after(() => rig.stop());

  it("is asked for by a refresh when the policy says so, and only then", async () => {
    const asked: RetrainPayload[] = [];
    const producers = { addRetrain: async (payload: RetrainPayload) => `job-${asked.push(payload)}` };
    await refresh(rig.context, producers);
    await refresh(await rig.contextUnder({ training: { warmStart: true } }), producers);
    assert.deepEqual(
      asked.map(({ warmStart }) => warmStart),
      [undefined, live.version],
    );
  });

  it("takes fewer epochs, is named in the manifest, and gives the same version again", async () => {
    const order = { ...ORDER, warmStart: live.version };
    const warm = await retrain(rig.context, order);
    assert.deepEqual([(await training(live)).epochs, (await training(live)).warmStart], [10, undefined]);
    assert.deepEqual([(await training(warm)).epochs, (await training(warm)).warmStart], [3, live.version]);
    assert.equal((await retrain(rig.context, order)).version, warm.version);
  });

  it("is refused between recipes", async () => {
    const order = { ...ORDER, phase: 2, recipe: "item-knn", params: {}, warmStart: live.version } as const;
    await assert.rejects(retrain(rig.context, order), /a version of item-knn, got als-\w+ of als/);
  });
});
