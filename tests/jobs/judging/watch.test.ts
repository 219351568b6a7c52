import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { judge } from "../../../jobs/judging/judge.ts";
import { recomputeDecision } from "../../../models/gate/decision.ts";
import { type JobRig, reversed, startJobRig } from "../rig.ts";

const LOOK = { kind: "judge", record: false } as const;
const BATCH = 10;

describe("the watch over a promoted version", () => {
  let rig: JobRig;
  let popular: string;
  let harmful: string;

  const promote = async (version: string, expectedLive: string | null): Promise<void> => {
    await rig.context.registry.promote({
      version,
      expectedLive,
      reason: "tests",
      actor: "tests",
      force: true,
    });
  };
  /** Traffic and looks in turn until the watch is over. Returns the users it took and the last judgement. */
  const untilOver = async (most: number) => {
    for (let users = BATCH; users <= most; users += BATCH) {
      await judge(rig.context, LOOK);
      await rig.traffic(BATCH);
      const watched = (await judge(rig.context, LOOK)).filter(({ about }) => about === "watch");
      assert.equal(watched.length, 1);
      if (watched[0].verdict !== "hold") return { users: watched[0].users, judgement: watched[0] };
    }
    throw new Error(`expected the watch to be over after ${most} users`);
  };

  before(async () => {
    rig = await startJobRig({ rollback: { watchUsers: 100 } });
    popular = await rig.register("popularity");
    harmful = await rig.register("popularity", {}, reversed);
    await promote(popular, null);
  });
  after(() => rig.stop());

  it("is not opened while nothing was promoted over anything", async () => {
    assert.deepEqual(await judge(rig.context, LOOK), []);
    assert.deepEqual(await rig.context.shadowLog.openWatches(), []);
  });

  it("rolls a harmful version back that was forced in, with a record that can be recomputed", async (t) => {
    await promote(harmful, popular);
    const { users, judgement } = await untilOver(200);
    t.diagnostic(`rolled back by itself after ${users} users: ${judgement.sentence}`);
    assert.equal(judgement.verdict, "reject");
    assert.equal((await rig.context.registry.live())?.version, popular);
    assert.equal((await rig.context.registry.version(harmful))?.state, "QUARANTINED");

    const [decision] = await rig.context.decisions.list({ challenger: harmful });
    assert.equal(decision.hearing.about, "watch");
    assert.equal(decision.ruling.verdict, "reject");
    const { sameE, sameVerdict } = recomputeDecision(decision);
    assert.ok(sameE && sameVerdict);
    const entry = (await rig.context.registry.audit()).find(({ action }) => action === "auto-rollback");
    assert.equal(entry?.decisionId, decision.id);
    assert.equal(entry?.reason, decision.sentence);
    assert.deepEqual(await rig.context.shadowLog.openWatches(), []);
    assert.equal(await rig.context.registry.verifyAudit(), null);
  });

  it("does not watch the version that a rollback returned to", async () => {
    assert.deepEqual(await judge(rig.context, LOOK), []);
  });

  it("keeps a version that does no harm, ends after the policy's users, and does not start over", async () => {
    const same = await rig.register("popularity", {}, (model) => ({ ...model, seed: 2 }));
    await promote(same, popular);
    const { users, judgement } = await untilOver(200);
    assert.equal(judgement.verdict, "pass");
    assert.equal(users, 100);
    assert.equal((await rig.context.registry.live())?.version, same);
    assert.deepEqual(await judge(rig.context, LOOK), []);
    assert.equal((await rig.context.decisions.list({ challenger: same }))[0].ruling.verdict, "pass");
  });

  it("starts afresh under other numbers of its test, and only records where rollbacks are not automatic", async () => {
    const live = (await rig.context.registry.live())?.version ?? "";
    const worse = await rig.register("popularity", {}, (model) => ({ ...reversed(model), seed: 98 }));
    await promote(worse, live);
    await judge(rig.context, LOOK);
    const [before] = await rig.context.shadowLog.openWatches();
    const kept = await rig.contextUnder({ rollback: { automatic: false } });
    await judge(kept, LOOK);
    assert.deepEqual(await kept.shadowLog.openWatches(), [before]);
    const manual = await rig.contextUnder({ alpha: 0.04, rollback: { automatic: false } });
    await judge(manual, LOOK);
    const [watch, ...others] = await manual.shadowLog.openWatches();
    assert.notEqual(watch.id, before.id);
    assert.deepEqual(others, []);

    for (let batch = 0; batch < 10 && (await manual.shadowLog.openWatches()).length > 0; batch++) {
      await rig.traffic(BATCH);
      await judge(manual, LOOK);
    }
    const decisions = await manual.decisions.list({ challenger: worse });
    assert.deepEqual(
      decisions.map(({ ruling }) => ruling.verdict),
      ["reject"],
    );
    assert.equal((await manual.registry.live())?.version, worse);
  });
});
