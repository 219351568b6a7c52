import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { judge } from "../../../jobs/judging/judge.ts";
import { screen } from "../../../jobs/judging/screen.ts";
import { type JobRig, reversed, startJobRig, TOLERANT_GUARDRAILS } from "../rig.ts";

const LOOK = { kind: "judge", record: false } as const;
const BATCH = 10;

describe("a challenger that passed and waits for an operator", () => {
  let rig: JobRig;
  let better: string;

  const state = async () => (await rig.context.registry.version(better))?.state;
  const verdicts = async () =>
    (await rig.context.decisions.list({ challenger: better }))
      .filter(({ hearing }) => hearing.about === "shadow")
      .map(({ ruling }) => ruling.verdict);

  before(async () => {
    rig = await startJobRig({
      shadow: { minimumUsers: 30, timeoutMs: 10_000 },
      guardrails: TOLERANT_GUARDRAILS,
    });
    const poor = await rig.register("popularity", {}, reversed);
    better = await rig.register("popularity");
    const first = { version: poor, expectedLive: null, reason: "tests", actor: "tests" };
    await rig.context.registry.promote(first);
    await rig.evaluate(poor, (user) => 0.1 + user / 1000);
    await rig.evaluate(better, (user) => 0.2 + (user % 7) / 100);
    await screen(rig.context, better);
    for (let batch = 0; batch < 60 && (await state()) === "SHADOWING"; batch++) {
      await rig.traffic(BATCH);
      await judge(rig.context, LOOK);
    }
  });
  after(() => rig.stop());

  it("is ELIGIBLE by one record, however often the judge looks again", async () => {
    assert.equal(await state(), "ELIGIBLE");
    for (let look = 0; look < 5; look++) {
      const [judgement] = await judge(rig.context, LOOK);
      assert.equal(judgement.verdict, "pass");
    }
    assert.deepEqual(await verdicts(), ["pass"]);
  });

  it("gets another record when one is asked for", async () => {
    await judge(rig.context, { kind: "judge", record: true });
    assert.deepEqual(await verdicts(), ["pass", "pass"]);
  });

  it("is promoted on the evidence it has once the policy allows it, which changes no number of its test", async () => {
    const automatic = await rig.contextUnder({
      shadow: { minimumUsers: 30, timeoutMs: 10_000 },
      guardrails: TOLERANT_GUARDRAILS,
      promotion: { automatic: true },
    });
    await judge(automatic, LOOK);
    assert.equal(await state(), "LIVE");
    assert.equal((await automatic.registry.live())?.version, better);
    const entry = (await automatic.registry.audit()).findLast(({ action }) => action === "promote");
    const [last] = (await automatic.decisions.list({ challenger: better })).filter(
      ({ hearing }) => hearing.about === "shadow",
    );
    assert.equal(entry?.decisionId, last.id);
  });
});
