import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { enterClosedUsers } from "../../../jobs/judging/closed-users.ts";
import { shadowEvidence } from "../../../jobs/judging/evidence.ts";
import { lastUpgrade } from "../../../jobs/judging/last-upgrade.ts";
import { screen } from "../../../jobs/judging/screen.ts";
import type { LivePeriod } from "../../../services/registry/audit.ts";
import { type JobRig, reversed, startJobRig } from "../rig.ts";

/** "promote a>b" means that b was promoted over a; a version's recipe is its name without digits. */
function periodsOf(moves: readonly string[]): LivePeriod[] {
  return moves.map((move, index) => {
    const [action, versions] = move.split(" ");
    const [from, version] = versions.split(">");
    return {
      version,
      from: from === "" ? null : from,
      epoch: index + 1,
      since: "",
      until: null,
      action: action as LivePeriod["action"],
      reason: "",
    };
  });
}
const PHASE_OF: Readonly<Record<string, 1 | 2 | 3 | 4>> = { pop: 1, knn: 2, als: 3, sas: 4 };
const factsOf = (version: string) => {
  const recipe = version.replace(/\d/g, "");
  return version === "" ? undefined : { recipe, phase: PHASE_OF[recipe] };
};
const upgradeOf = (live: string, ...moves: string[]): string =>
  lastUpgrade(periodsOf(moves), live, factsOf, { downRung: false });

describe("the last upgrade", () => {
  it("is the live version when another recipe was left for it, or nothing at all", () => {
    assert.equal(upgradeOf("pop1", "promote >pop1"), "pop1");
    assert.equal(upgradeOf("als1", "promote >pop1", "promote pop1>als1"), "als1");
  });

  it("is found behind any number of refreshes", () => {
    const moves = [
      "promote >pop1",
      "promote pop1>als1",
      "promote als1>als2",
      "force-promote als2>als3",
    ] as const;
    assert.equal(upgradeOf("als3", ...moves), "als1");
  });

  it("is that of the version which a rollback returned to", () => {
    const climb = ["promote >pop1", "promote pop1>als1", "promote als1>als2"] as const;
    assert.equal(upgradeOf("als2", ...climb, "promote als2>sas1", "rollback sas1>als2"), "als1");
    assert.equal(upgradeOf("als1", ...climb, "auto-rollback als2>als1"), "als1");
  });

  it("is behind the steps down, where the policy lets cheaper versions take over, so that losses cannot add up", () => {
    const periods = periodsOf([
      "promote >pop1",
      "promote pop1>sas1",
      "promote sas1>als1",
      "promote als1>knn1",
    ]);
    assert.equal(lastUpgrade(periods, "knn1", factsOf, { downRung: true }), "sas1");
    assert.equal(lastUpgrade(periods, "knn1", factsOf, { downRung: false }), "knn1");
    const again = [...periods, ...periodsOf(["promote knn1>als2"])];
    assert.equal(lastUpgrade(again, "als2", factsOf, { downRung: true }), "als2", "it won over knn1");
  });

  it("is found although versions were promoted over each other in turn", () => {
    const moves = [
      "promote >als1",
      "promote als1>als2",
      "force-promote als2>als1",
      "force-promote als1>als2",
    ];
    assert.equal(upgradeOf("als2", ...moves), "als1");
  });
});

describe("a refresh of a refreshed version", () => {
  let rig: JobRig;
  let upgrade: string;
  let challenger: string;

  before(async () => {
    rig = await startJobRig();
    const { registry } = rig.context;
    const floor = await rig.register("popularity");
    upgrade = await rig.register("popular-lately");
    const refreshed = await rig.register("popular-lately", {}, reversed);
    challenger = await rig.register("popular-lately", {}, (model) => ({ ...model, seed: 3 }));
    const promote = (version: string, expectedLive: string | null) =>
      registry.promote({ version, expectedLive, reason: "tests", actor: "tests", force: true });
    await promote(floor, null);
    await promote(upgrade, floor);
    await promote(refreshed, upgrade);
    await rig.evaluate(refreshed, (user) => 0.1 + user / 1000);
    await rig.evaluate(challenger, (user) => 0.2 + (user % 7) / 100);
    await screen(rig.context, challenger);
  });
  after(() => rig.stop());

  it("names the last upgrade in its attempt", async () => {
    const [attempt, ...others] = await rig.context.shadowLog.openAttempts();
    assert.deepEqual(others, []);
    assert.equal(attempt.kind, "REFRESH");
    assert.equal(attempt.challenger.version, challenger);
    assert.deepEqual(attempt.lastUpgrade, { version: upgrade, phase: 1, recipe: "popular-lately" });
  });

  it("is compared with the last upgrade on every judged user", async () => {
    const [attempt] = await rig.context.shadowLog.openAttempts();
    await rig.traffic(12);
    const recorded = await enterClosedUsers(rig.context, attempt);
    const evidence = await shadowEvidence(rig.context, attempt, recorded);
    assert.ok(Array.isArray(evidence.lastUpgrade));
    assert.deepEqual(
      evidence.lastUpgrade.map(({ user }) => user),
      evidence.users.map(({ user }) => user),
    );
    assert.equal(evidence.users.length, 12);
    // The challenger lists what the upgrade lists, and the live version the reverse.
    assert.ok(evidence.lastUpgrade.every(({ difference }) => difference === 0));
    assert.ok(evidence.users.some(({ difference }) => difference > 0.1));
  });

  it("has no such user where the last upgrade did not answer", async () => {
    const [attempt] = await rig.context.shadowLog.openAttempts();
    await rig.traffic(1, {
      meanwhile: async (user) => {
        const { panel } = rig.context.shadowLog;
        const [[held]] = await panel.held([user]);
        const lists = { ...held.lists, [upgrade]: null };
        const parts = [{ comparison: attempt.id, answered: true, add: {}, latency: "1 1" }];
        await panel.release(user, attempt.id, [held.requestId], { kind: "unheard" });
        await panel.hold(user, [{ ...held, lists, parts }], [], [attempt.id]);
      },
    });
    const recorded = await enterClosedUsers(rig.context, attempt);
    const evidence = await shadowEvidence(rig.context, attempt, recorded);
    assert.equal(evidence.users.length, 13);
    assert.equal(evidence.lastUpgrade?.length, 12);
  });
});
