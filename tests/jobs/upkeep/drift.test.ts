import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Queue } from "bullmq";
import { drift } from "../../../jobs/upkeep/drift.ts";
import { refresh } from "../../../jobs/upkeep/refresh.ts";
import { userId } from "../../../models/data/ids.ts";
import { seededRandom } from "../../../models/data/random.ts";
import type { FeedbackEvent } from "../../../services/interactions/types.ts";
import { createProducers, type JobProducers } from "../../../services/queues/producers.ts";
import { QUEUES, type RetrainPayload } from "../../../services/queues/types.ts";
import { CUT, DAY_MS, ITEM_IDS, type JobRig, startJobRig, zipfDraw } from "../rig.ts";

/** Events as in training: forty a day, ten in a row by each user. */
function events(count: number, from: number, itemOf: (drawn: number) => number): FeedbackEvent[] {
  const random = seededRandom(from);
  return Array.from({ length: count }, (_, index) => {
    const event = from + index;
    return {
      eventId: `drift-${event}`,
      userId: userId(`later-${Math.floor(event / 10)}`),
      itemId: ITEM_IDS[itemOf(zipfDraw(() => random.next()))],
      type: "watch",
      timestamp: CUT + ((event + 1) / 40) * DAY_MS,
    };
  });
}

describe("the drift job", () => {
  let rig: JobRig;
  let producers: JobProducers;
  let queue: Queue<RetrainPayload>;
  let live: string;

  before(async () => {
    rig = await startJobRig();
    producers = createProducers({ redisUrl: rig.redis.url }, () => {});
    queue = new Queue(QUEUES.training, { connection: { url: rig.redis.url } });
  });
  after(async () => {
    await producers.close();
    await queue.close();
    await rig.stop();
  });

  it("has nothing to compare before anything is live, nor before enough has happened", async () => {
    assert.equal((await drift(rig.context, producers)).live, null);
    live = await rig.register("popular-lately", { halfLifeDays: 30 });
    await rig.context.registry.promote({
      version: live,
      expectedLive: null,
      reason: "tests",
      actor: "tests",
    });
    await rig.context.events.append(
      events(300, 0, (drawn) => drawn),
      CUT,
    );
    const report = await drift(rig.context, producers);
    assert.deepEqual([report.events, report.signals, report.jobId], [300, [], null]);
  });

  it("leaves the scheduled retrain to ask once a day for the live recipe, when something has happened", async () => {
    const first = await refresh(rig.context, producers);
    assert.equal(first.live, live);
    assert.ok(first.jobId !== null);
    assert.equal((await refresh(rig.context, producers)).jobId, first.jobId);
    const job = await queue.getJob(first.jobId);
    assert.deepEqual([job?.data.recipe, job?.data.requestedBy], ["popular-lately", "schedule"]);
    await job?.remove();
  });

  it("asks for nothing while users do what they did", async () => {
    await rig.context.events.append(
      events(700, 300, (drawn) => drawn),
      CUT,
    );
    const report = await drift(rig.context, producers);
    assert.equal(report.events, 1000);
    assert.deepEqual(
      report.signals.filter(({ drifted }) => drifted),
      [],
    );
    assert.equal(report.signals.length, 5);
    assert.equal(await queue.count(), 0);
  });

  it("asks for one retrain of the live recipe when demand has turned round, and says why", async () => {
    await rig.context.events.append(
      events(1000, 1000, (drawn) => ITEM_IDS.length - 1 - drawn),
      CUT,
    );
    const report = await drift(rig.context, producers);
    assert.deepEqual(
      report.signals.filter(({ drifted }) => drifted).map(({ name }) => name),
      ["popularity"],
    );
    const job = await queue.getJob(report.jobId ?? "");
    assert.equal(job?.data.recipe, "popular-lately");
    assert.deepEqual(job?.data.params, { halfLifeDays: 30 });
    assert.equal(job?.data.requestedBy, "drift");
    assert.match(
      job?.data.reason ?? "",
      new RegExp(`^2000 events since ${live} was trained: popularity \\d\\.\\d{3} beyond 0\\.25$`),
    );
  });

  it("does not pile up: however often and on whatever figures, a day asks for one retrain", async () => {
    const first = (await drift(rig.context, producers)).jobId;
    await rig.context.events.append(
      events(10, 2000, () => 0),
      CUT,
    );
    assert.equal((await drift(rig.context, producers)).jobId, first);
    assert.equal(await queue.count(), 1);
  });
});
