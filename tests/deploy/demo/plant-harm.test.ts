import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { apiClient } from "../../../deploy/client/api-client.ts";
import { prepareData } from "../../../deploy/data/prepare-data.ts";
import { outcomeOfHarm, plantHarm } from "../../../deploy/demo/plant-harm.ts";
import { type JobContext, openContext } from "../../../jobs/context.ts";
import { retrain } from "../../../jobs/training/retrain.ts";
import { type Service, startService } from "../../support/service.ts";
import { writeSmallData } from "../../support/small-data.ts";

describe("the demo's planted harm", () => {
  let service: Service;
  let context: JobContext;
  let url: string;
  let floor: string;

  before(async () => {
    service = await startService({});
    const dataFolder = await writeSmallData(service.home);
    await prepareData({ ...service.config, dataFolder }, { cut: 0.7, say: () => {} });
    context = await openContext({ ...service.config, logLevel: "silent" });
    const order = { phase: 1, recipe: "popularity", seed: 1, requestedBy: "tests" } as const;
    floor = (await retrain(context, order)).version;
    const first = { version: floor, expectedLive: null, reason: "the floor", actor: "tests" };
    await context.registry.promote(first);
    ({ url } = await service.startApi());
  });
  after(async () => {
    await context.close();
    await service.stop();
  });

  it("is the floor upside down, honestly evaluated and openly forced; its outcome is said in words", async () => {
    const api = apiClient(url, service.key);
    const planted = await plantHarm(api, service.config);
    assert.ok(planted !== null);
    assert.equal((await context.registry.live())?.version, planted);
    const [harmful, sound] = await Promise.all([planted, floor].map(context.artifacts.manifest));
    assert.ok(harmful.manifest.offline.ndcg.mean < sound.manifest.offline.ndcg.mean / 2);
    const entry = (await context.registry.audit()).at(-1);
    assert.deepEqual([entry?.action, entry?.version], ["force-promote", planted]);
    assert.match(entry?.reason ?? "", /planted harm/);
    assert.deepEqual(await outcomeOfHarm(api, planted), {
      rolledBack: false,
      words: `Planted harm: ${planted} was NOT rolled back by itself`,
    });

    const rollback = { expectedLive: planted, reason: "Proven worse.", actor: "gate", automatic: true };
    await context.registry.rollback(rollback);
    const { rolledBack, words } = await outcomeOfHarm(api, planted);
    assert.equal(rolledBack, true);
    assert.match(words, new RegExp(`${planted} was rolled back by itself, to ${floor}.*\n  Proven worse\\.`));
    assert.equal(await plantHarm(api, service.config), null, "it is planted once");
  });
});
