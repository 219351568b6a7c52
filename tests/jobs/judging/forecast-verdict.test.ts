import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { forecastVerdict } from "../../../jobs/judging/forecast-verdict.ts";
import { judge } from "../../../jobs/judging/judge.ts";
import { screen } from "../../../jobs/judging/screen.ts";
import { type JobRig, startJobRig } from "../rig.ts";

const LOOK = { kind: "judge", record: false } as const;

describe("what a verdict would take", () => {
  let rig: JobRig;
  let floor: string;

  before(async () => {
    rig = await startJobRig();
    floor = await rig.register("popularity");
  });
  after(() => rig.stop());

  it("is not foretold while nothing is live", async () => {
    assert.deepEqual(await forecastVerdict(rig.context, [{ phase: 2 }]), []);
    await judge(rig.context, LOOK);
    assert.deepEqual(await rig.context.forecasts.over(floor), []);
  });

  it("is foretold from the live version's holdout for its rung and those above, and by the traffic there was", async () => {
    await rig.evaluate(floor, (user) => (user % 5) * 0.05);
    await rig.context.registry.promote({
      version: floor,
      expectedLive: null,
      reason: "tests",
      actor: "tests",
    });
    await judge(rig.context, LOOK);
    const forecasts = await rig.context.forecasts.over(floor);
    assert.deepEqual(
      forecasts.map(({ phase, usersPerDay }) => [phase, usersPerDay]),
      [1, 2, 3, 4].map((phase) => [phase, 3]),
      "60 users in the 20 days of the holdout",
    );
    assert.match(
      forecasts[1].sentence,
      /^(a lift of 5 % needs about|no lift of 5 % or less can be proven here: 5 % takes about) [0-9,]+ users/,
    );
    assert.deepEqual(await rig.context.forecasts.over("another"), []);
  });

  it("takes more users once an attempt has taken its part of α, and fewer for a refresh", async () => {
    const [first] = (await rig.context.forecasts.over(floor)).slice(0, 1);
    const challenger = await rig.register("popular-lately");
    await rig.evaluate(challenger, (user) => (user % 7) * 0.05);
    await screen(rig.context, challenger);
    await judge(rig.context, LOOK);
    const [second] = await rig.context.forecasts.over(floor);
    assert.ok(Number(second.lifts[2].users) > Number(first.lifts[2].users), second.sentence);
    const [refresh] = await forecastVerdict(rig.context, [{ phase: 1, recipe: "popularity" }]);
    assert.ok(Number(refresh.lifts[2].users) < Number(second.lifts[2].users), refresh.sentence);
  });
});
