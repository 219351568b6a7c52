import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { judge } from "../../../jobs/judging/judge.ts";
import { screen } from "../../../jobs/judging/screen.ts";
import { type JobRig, startJobRig } from "../rig.ts";

const LOOK = { kind: "judge", record: false } as const;

describe("an open shadow whose terms have changed", () => {
  let rig: JobRig;
  let floor: string;
  let challenger: string;

  const promote = (version: string, expectedLive: string | null) =>
    rig.context.registry.promote({ version, expectedLive, reason: "tests", actor: "tests", force: true });
  /** What became of the challenger, oldest first. */
  const states = async (): Promise<string[]> =>
    (await rig.context.registry.audit())
      .filter(({ action, version }) => action === "state" && version === challenger)
      .map(({ reason }) => reason.split(":")[0]);

  beforeEach(async () => {
    rig = await startJobRig();
    floor = await rig.register("popularity");
    challenger = await rig.register("popular-lately");
    await promote(floor, null);
    await rig.evaluate(floor, (user) => 0.1 + user / 1000);
    await rig.evaluate(challenger, (user) => 0.12 + (user % 7) / 100);
    await screen(rig.context, challenger);
  });
  afterEach(() => rig.stop());

  it("stays open, with its users, while nothing changes", async () => {
    const [attempt] = await rig.context.shadowLog.openAttempts();
    await rig.traffic(5);
    await judge(rig.context, LOOK);
    const [same, ...others] = await rig.context.shadowLog.openAttempts();
    assert.deepEqual([same.id, others.length], [attempt.id, 0]);
    assert.equal((await rig.context.shadowLog.users(same)).length, 5);
    assert.deepEqual(await states(), ["SCREENED", "SHADOWING"]);
  });

  it("turns STALE with the policy and starts over under the new one: next attempt, fresh users", async () => {
    const [before] = await rig.context.shadowLog.openAttempts();
    await rig.traffic(5);
    await judge(rig.context, LOOK);
    const stricter = await rig.contextUnder({ alpha: 0.01 });
    await judge(stricter, LOOK);
    assert.deepEqual(await states(), ["SCREENED", "SHADOWING", "STALE", "SCREENED", "SHADOWING"]);
    const [after, ...others] = await stricter.shadowLog.openAttempts();
    assert.deepEqual(others, []);
    assert.deepEqual([before.attempt, after.attempt], [1, 2]);
    assert.notEqual(after.policySha256, before.policySha256);
    assert.deepEqual(await stricter.shadowLog.users(after), []);
  });

  it("turns STALE with the baseline, and waits where the two were never evaluated side by side", async () => {
    const other = await rig.register("popularity", {}, (model) => ({ ...model, seed: 2 }));
    await promote(other, floor);
    await judge(rig.context, LOOK);
    assert.deepEqual(await rig.context.shadowLog.openAttempts(), []);
    assert.equal((await rig.context.registry.version(challenger))?.state, "STALE");
    assert.deepEqual(await states(), ["SCREENED", "SHADOWING", "STALE"]);

    await rig.evaluate(other, (user) => 0.1 + user / 1000);
    await judge(rig.context, LOOK);
    const [attempt] = await rig.context.shadowLog.openAttempts();
    assert.equal(attempt.baseline.version, other);
    // α is spent against each baseline apart.
    assert.equal(attempt.attempt, 1);
  });

  it("turns STALE when an automatic rollback changes the baseline", async () => {
    const other = await rig.register("popularity", {}, (model) => ({ ...model, seed: 2 }));
    await promote(other, floor);
    await rig.evaluate(other, (user) => 0.1 + user / 1000);
    await judge(rig.context, LOOK);
    assert.equal((await rig.context.registry.version(challenger))?.state, "SHADOWING");
    const request = { expectedLive: other, reason: "tests", actor: "tests", automatic: true };
    await rig.context.registry.rollback(request);
    assert.equal((await rig.context.registry.version(challenger))?.state, "STALE");
    await judge(rig.context, LOOK);
    const [attempt] = await rig.context.shadowLog.openAttempts();
    assert.equal(attempt.baseline.version, floor);
    assert.equal(attempt.attempt, 2);
  });

  it("starts over when it was left and then released, however soon: next attempt, fresh users", async () => {
    const [before] = await rig.context.shadowLog.openAttempts();
    await rig.traffic(5);
    await judge(rig.context, LOOK);
    await promote(challenger, floor);
    const left = { expectedLive: challenger, reason: "it fails", actor: "breaker", automatic: true };
    await rig.context.registry.rollback(left);
    await rig.context.registry.release({ version: challenger, reason: "the host", actor: "operator" });
    await judge(rig.context, LOOK);
    assert.equal((await rig.context.registry.version(challenger))?.state, "SHADOWING");
    const [after, ...others] = await rig.context.shadowLog.openAttempts();
    assert.deepEqual([before.attempt, after.attempt, others.length], [1, 2, 0]);
    assert.deepEqual(await rig.context.shadowLog.users(after), []);
  });

  it("is screened once where the screen does not admit it, however often the judge looks", async () => {
    const strict = await rig.contextUnder({ screen: { admit: "passed" } });
    // A lead of half of the users over the other half: the holdout cannot tell.
    const other = await rig.register("popularity", {}, (model) => ({ ...model, seed: 2 }));
    await promote(other, floor);
    await rig.evaluate(other, (user) => 0.12 + ((user + 3) % 7) / 100);
    for (let look = 0; look < 4; look++) await judge(strict, LOOK);
    const screened = (await strict.decisions.list({ challenger })).filter(
      ({ baseline }) => baseline === other,
    );
    assert.deepEqual(
      screened.map(({ hearing, ruling }) => [hearing.about, ruling.verdict]),
      [["screen", "hold"]],
      screened[0]?.sentence,
    );
    assert.equal((await strict.registry.version(challenger))?.state, "STALE");
  });
});
