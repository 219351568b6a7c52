import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { judge } from "../../../jobs/judging/judge.ts";
import { screen } from "../../../jobs/judging/screen.ts";
import type { ShadowEvidence } from "../../../models/gate/evidence.ts";
import type { Model } from "../../../models/model.ts";
import { CUT, DAY_MS, type JobRig, reversed, startJobRig, TOLERANT_GUARDRAILS } from "../rig.ts";

const LOOK = { kind: "judge", record: true } as const;
const seeded =
  (seed: number) =>
  (model: Model): Model => ({ ...model, seed });

describe("a line that is refreshed while it is in the shadow", () => {
  let rig: JobRig;
  let floor: string;
  let first: string;
  let second: string;

  const attempts = () => rig.context.shadowLog.openAttempts();
  const stateOf = async (version: string) => (await rig.context.registry.version(version))?.state;
  const evidenceOf = async (challenger: string): Promise<ShadowEvidence> => {
    await judge(rig.context, LOOK);
    const [{ hearing }] = await rig.context.decisions.list({ challenger, limit: 1 });
    assert.ok(hearing.about === "shadow");
    return hearing.evidence;
  };
  const challenge = async (params: object, seed: number, trainedThrough = CUT): Promise<string> => {
    const version = await rig.register("popular-lately", { ...params }, seeded(seed), trainedThrough);
    await rig.evaluate(version, (user) => 0.12 + (user % 7) / 100);
    await screen(rig.context, version);
    return version;
  };

  before(async () => {
    rig = await startJobRig({
      shadow: { minimumUsers: 20, timeoutMs: 10_000 },
      guardrails: TOLERANT_GUARDRAILS,
    });
    floor = await rig.register("popularity", {}, reversed);
    await rig.context.registry.promote({
      version: floor,
      expectedLive: null,
      reason: "tests",
      actor: "tests",
    });
    await rig.evaluate(floor, (user) => 0.1 + user / 1000);
    first = await challenge({ halfLifeDays: 1000 }, 1);
    await rig.traffic(6);
    await judge(rig.context, LOOK);
  });
  after(() => rig.stop());

  it("goes on with its test: the same attempt, α and users", async () => {
    const [before] = await attempts();
    second = await challenge({ halfLifeDays: 1000 }, 2);
    assert.deepEqual([await stateOf(first), await stateOf(second)], ["RETIRED", "SHADOWING"]);
    const [after, ...others] = await attempts();
    assert.deepEqual(others, []);
    const { challenger, former, current, ...same } = after;
    const { challenger: _, ...was } = before;
    assert.deepEqual(same, was);
    assert.deepEqual([challenger.version, former], [second, [first]]);
    assert.equal(current?.before.asked, 6);
    const { users, attempt, requests } = await evidenceOf(second);
    assert.equal(attempt, 1);
    assert.equal(users.length, 6);
    assert.ok(users.every((user) => user.former === true));
    assert.deepEqual(requests?.asked, 0, "guardrails judge the present version only");
  });

  it("holds until the present version has users and a lift of its own", async () => {
    const [held] = await rig.context.decisions.list({ challenger: second, limit: 1 });
    assert.ok(held.ruling.reasons.includes("CURRENT_VERSION_UNPROVEN"), held.sentence);
    await rig.traffic(4);
    const { users, requests, sampling, window } = await evidenceOf(second);
    assert.deepEqual(
      users.map(({ former }) => former === true),
      [true, true, true, true, true, true, false, false, false, false],
    );
    assert.equal(requests?.asked, 4);
    assert.equal(sampling?.sampled, 10);
    const { sampled, joined, unanswered, early, pending, shed, failed } = sampling;
    assert.equal(sampled, joined + unanswered + early + pending + shed + failed);
    assert.ok((window?.judgedFrom ?? 0) > CUT + 9 * DAY_MS, "by the users of the present version");
    const [decision] = await rig.context.decisions.list({ challenger: second, limit: 1 });
    assert.ok(!decision.ruling.reasons.includes("CURRENT_VERSION_UNPROVEN"));
  });

  it("is another line with other parameters, and spends the next α", async () => {
    const other = await challenge({ halfLifeDays: 500 }, 3);
    const numbers = new Map(
      (await attempts()).map(({ challenger, attempt }) => [challenger.version, attempt]),
    );
    assert.deepEqual([numbers.get(second), numbers.get(other)], [1, 2]);
    const again = await challenge({ halfLifeDays: 500 }, 4);
    const open = (await attempts()).filter(({ challenger }) => challenger.version === again);
    assert.deepEqual(
      open.map(({ attempt, former }) => [attempt, former]),
      [[2, [other]]],
    );
  });

  it("passes with the users of all its versions, and the present one is what is told", async () => {
    for (let batch = 0; batch < 30 && (await stateOf(second)) === "SHADOWING"; batch++) {
      await rig.traffic(10);
      await judge(rig.context, { kind: "judge", record: false });
    }
    assert.equal(await stateOf(second), "ELIGIBLE");
    const [decision] = await rig.context.decisions.list({ challenger: second, limit: 1 });
    assert.equal(decision.ruling.verdict, "pass");
    assert.ok(decision.hearing.about === "shadow");
    assert.equal(decision.hearing.evidence.users.filter(({ former }) => former === true).length, 6);
  });

  it("is not taken away from an operator whom it waits for", async () => {
    const third = await challenge({ halfLifeDays: 1000 }, 5);
    assert.equal(await stateOf(second), "ELIGIBLE");
    assert.ok((await attempts()).some(({ challenger }) => challenger.version === second));
    assert.notEqual(await stateOf(third), "RETIRED");
  });
});
