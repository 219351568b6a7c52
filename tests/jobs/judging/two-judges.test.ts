import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Queue } from "bullmq";
import { judge } from "../../../jobs/judging/judge.ts";
import { screen } from "../../../jobs/judging/screen.ts";
import { scheduleUpkeep } from "../../../jobs/upkeep/schedule.ts";
import { QUEUES } from "../../../services/queues/types.ts";
import { type JobRig, reversed, startJobRig } from "../rig.ts";

const LOOK = { kind: "judge", record: false } as const;

describe("two judges", () => {
  let rig: JobRig;
  before(async () => {
    rig = await startJobRig();
  });
  after(() => rig.stop());

  it("of one service work one after the other, however many workers there are", async () => {
    const scheduled = await scheduleUpkeep({ redisUrl: rig.redis.url }, rig.context.policy);
    const queue = new Queue(QUEUES.upkeep, { connection: { url: rig.redis.url } });
    assert.equal(await queue.getGlobalConcurrency(), 1);
    await queue.close();
    await scheduled.close();
  });

  it("at the same time all the same, one by hand, reject once and neither fails", async () => {
    const { registry, shadowLog } = rig.context;
    const sound = await rig.register("popularity");
    const poor = await rig.register("popular-lately", {}, reversed);
    await registry.promote({ version: sound, expectedLive: null, reason: "tests", actor: "tests" });
    await rig.evaluate(sound, (user) => 0.1 + user / 1000);
    await rig.evaluate(poor, (user) => 0.1 + (user % 7) / 100);
    await screen(rig.context, poor);
    const byHand = await rig.contextUnder({});
    const state = async () => (await registry.version(poor))?.state;
    assert.equal(await state(), "SHADOWING");
    for (let batch = 0; batch < 40 && (await state()) === "SHADOWING"; batch++) {
      await rig.traffic(10);
      await Promise.all([judge(rig.context, LOOK), judge(byHand, LOOK)]);
    }
    assert.equal(await state(), "REJECTED");
    assert.deepEqual(await shadowLog.openAttempts(), []);
    const rejections = (await registry.audit()).filter(({ reason }) => reason.startsWith("REJECTED"));
    assert.equal(rejections.length, 1);
    assert.equal(await registry.verifyAudit(), null);
    assert.equal(await rig.context.decisions.verify(), null);
  });
});
