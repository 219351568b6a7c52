import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { judge } from "../../../jobs/judging/judge.ts";
import { screen } from "../../../jobs/judging/screen.ts";
import { type JobRig, reversed, startJobRig, TOLERANT_GUARDRAILS } from "../rig.ts";

const LOOK = { kind: "judge", record: false } as const;

describe("several challengers at once", () => {
  let rig: JobRig;
  let floor: string;
  let simple: string;
  let costly: string;

  const openIds = async () =>
    (await rig.context.shadowLog.openAttempts()).map(({ challenger, baseline }) => [
      challenger.version,
      baseline.version,
    ]);
  const stateOf = async (version: string) => (await rig.context.registry.version(version))?.state;

  before(async () => {
    rig = await startJobRig({
      shadow: { minimumUsers: 20, timeoutMs: 10_000 },
      guardrails: TOLERANT_GUARDRAILS,
      promotion: { automatic: true },
    });
    floor = await rig.register("popularity", {}, reversed);
    simple = await rig.register("popular-lately", { halfLifeDays: 1000 });
    costly = await rig.register("item-knn");
    await rig.context.registry.promote({
      version: floor,
      expectedLive: null,
      reason: "tests",
      actor: "tests",
    });
    await rig.evaluate(floor, (user) => 0.1 + user / 1000);
    await rig.evaluate(simple, (user) => 0.2 + (user % 7) / 100);
    await rig.evaluate(costly, (user) => 0.2 + (user % 5) / 100);
    await screen(rig.context, simple);
    await screen(rig.context, costly);
    await judge(rig.context, LOOK);
  });
  after(() => rig.stop());

  it("face the live version, and the costlier one the simpler, from the start", async () => {
    assert.deepEqual(
      new Set((await openIds()).map((pair) => pair.join())),
      new Set([`${simple},${floor}`, `${costly},${floor}`, `${costly},${simple}`]),
    );
    const numbers = (await rig.context.shadowLog.openAttempts()).map(({ baseline, attempt }) => [
      baseline.version === floor,
      attempt,
    ]);
    assert.deepEqual(new Set(numbers.map((one) => one.join())), new Set(["true,1", "true,2", "false,1"]));
  });

  it("answer every request once, whichever pairs they are in", async () => {
    await rig.traffic(10);
    const { shadowLog } = rig.context;
    const attempts = await shadowLog.openAttempts();
    const counts = await Promise.all(attempts.map(({ id }) => shadowLog.counts(id)));
    assert.deepEqual(
      counts.map(({ asked }) => asked),
      [10, 10, 10],
    );
    const held = (await shadowLog.panel.held(await shadowLog.panel.users())).flat();
    assert.equal(held.length, 10, "one row a request");
    for (const { lists, marks } of held) {
      assert.equal(marks.size, attempts.length);
      assert.deepEqual(Object.keys(lists).sort(), [floor, simple, costly].sort());
    }
    const shams = new Map(attempts.map(({ baseline }, index) => [baseline.version, counts[index]]));
    assert.equal(shams.get(floor)?.shamsIdentical, 10);
    assert.equal(shams.get(simple)?.shams, undefined);
  });

  it("go on with the users they have when one of them climbs", async () => {
    for (let batch = 0; batch < 40 && (await rig.context.registry.live())?.version === floor; batch++) {
      await rig.traffic(10);
      await judge(rig.context, LOOK);
    }
    assert.equal((await rig.context.registry.live())?.version, simple);
    assert.equal(await stateOf(costly), "SHADOWING");
    const [attempt, ...others] = await rig.context.shadowLog.openAttempts();
    assert.deepEqual(others, []);
    assert.deepEqual([attempt.challenger.version, attempt.baseline.version], [costly, simple]);
    const before = (await rig.context.shadowLog.users(attempt)).length;
    assert.ok(before >= 20, `${before} users from before the promotion`);
    await rig.traffic(5);
    await judge(rig.context, LOOK);
    assert.deepEqual(await rig.context.shadowLog.panel.users(), [], "nothing is held of closed users");
    const [look] = (await rig.context.looks.latest()).filter(({ challenger }) => challenger === costly);
    assert.equal(look.users, before + 5);
    assert.equal(look.baseline, simple);
    // It was counted when its pair was opened, and not again.
    assert.equal(await rig.context.registry.attemptIndex(costly), 1);
  });
});
