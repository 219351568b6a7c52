import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { judge } from "../../../jobs/judging/judge.ts";
import { screen } from "../../../jobs/judging/screen.ts";
import { recomputeDecision } from "../../../models/gate/decision.ts";
import { type JobRig, reversed, startJobRig, TOLERANT_GUARDRAILS } from "../rig.ts";

const LOOK = { kind: "judge", record: false } as const;
const BATCH = 10;

describe("the judge of a canary", () => {
  let rig: JobRig;
  let popular: string;

  const canaryOf = async () => (await rig.context.registry.live())?.canary ?? null;
  const start = (version: string, expectedLive: string) =>
    rig.context.registry.canary({
      version,
      expectedLive,
      share: 0.1,
      reason: "tests",
      actor: "tests",
      force: true,
    });
  const look = async (users: number, version?: string, context = rig.context) => {
    await judge(context, LOOK);
    await rig.traffic(users, { canary: version });
    return (await judge(context, LOOK)).filter(({ about }) => about === "canary");
  };

  before(async () => {
    rig = await startJobRig({
      promotion: { automatic: true, canaryShares: [0.1, 0.5], canaryUsers: 30 },
    });
    popular = await rig.register("popularity");
    const first = { version: popular, expectedLive: null, reason: "tests", actor: "tests" };
    await rig.context.registry.promote(first);
  });
  after(() => rig.stop());

  it("counts only users whom the canary answered", async () => {
    const same = await rig.register("popularity", {}, (model) => ({ ...model, seed: 2 }));
    await start(same, popular);
    const [judgement] = await look(40);
    assert.deepEqual([judgement.verdict, judgement.users], ["hold", 0]);
  });

  it("widens one that does no harm step by step; a forced one stays at the last step", async () => {
    const version = (await canaryOf())?.version ?? "";
    const [first] = await look(30, version);
    assert.deepEqual([first.verdict, first.users], ["pass", 30], first.sentence);
    assert.equal((await canaryOf())?.share, 0.5);
    const [second] = await look(BATCH, version);
    assert.deepEqual([second.verdict, second.users], ["hold", BATCH], "each step starts from no users");
    const [third] = await look(20, version);
    assert.equal(third.verdict, "pass");
    await judge(rig.context, LOOK);
    assert.equal((await canaryOf())?.share, 0.5);
    const passes = (await rig.context.decisions.list({ challenger: version })).filter(
      ({ hearing }) => hearing.about === "canary",
    );
    assert.equal(passes.length, 2, "one record a step, however often one looks");
    for (const decision of passes) {
      const { sameE, sameVerdict } = recomputeDecision(decision);
      assert.ok(sameE && sameVerdict);
    }
    await rig.context.registry.rollback({ reason: "make room", actor: "tests" });
  });

  it("ends a harmful one by itself, quarantined, with a record, and never touches the live version", async () => {
    const harmful = await rig.register("popularity", {}, reversed);
    await start(harmful, popular);
    let users = 0;
    while ((await canaryOf()) !== null) {
      await look(BATCH, harmful);
      users += BATCH;
      assert.ok(users <= 100, "expected the loss to be proven within the two steps' users");
    }
    assert.equal((await rig.context.registry.live())?.version, popular);
    assert.equal((await rig.context.registry.version(harmful))?.state, "QUARANTINED");
    const [decision] = await rig.context.decisions.list({ challenger: harmful });
    assert.equal(decision.ruling.verdict, "reject");
    assert.match(decision.sentence, /Canary at \d+ % of the users, proven worse/);
    const { sameE, sameVerdict } = recomputeDecision(decision);
    assert.ok(sameE && sameVerdict);
    const ended = (await rig.context.registry.audit()).at(-1);
    assert.deepEqual([ended?.action, ended?.decisionId], ["canary-end", decision.id]);
    await judge(rig.context, LOOK);
    assert.deepEqual(await rig.context.shadowLog.openWatches(), []);
    assert.equal(await rig.context.registry.verifyAudit(), null);
  });

  it("carries one that passed the gate from the first share to all users, with the ordinary promotion", async () => {
    const { registry } = rig.context;
    const version = await rig.register("popularity", {}, (model) => ({ ...model, seed: 3 }));
    await registry.transition(version, ["REGISTERED"], "SCREENED", "tests", "tests");
    await registry.transition(version, ["SCREENED"], "SHADOWING", "tests", "tests");
    await registry.transition(version, ["SHADOWING"], "ELIGIBLE", "tests", "tests");
    await registry.canary({ version, expectedLive: popular, share: 0.1, reason: "passed", actor: "gate" });
    for (let batch = 0; batch < 20 && (await canaryOf()) !== null; batch++) await look(BATCH, version);
    const live = await registry.live();
    assert.deepEqual([live?.version, live?.previous, live?.canary], [version, popular, null]);
    const last = (await registry.audit()).filter(({ action }) => action === "promote").at(-1);
    assert.match(last?.reason ?? "", /Canary at 50 % of the users passed/);
    const watches = (await rig.context.shadowLog.openWatches()).map(({ kind }) => kind);
    await judge(rig.context, LOOK);
    const after = (await rig.context.shadowLog.openWatches()).map(({ kind }) => kind);
    assert.deepEqual([watches, after], [["canary"], ["watch"]], "the watch over all users takes over");
  });

  it("keeps the watch over the live version through the steps of a canary", async () => {
    const live = (await rig.context.registry.live())?.version ?? "";
    const [before] = (await rig.context.shadowLog.openWatches()).filter(({ kind }) => kind === "watch");
    const next = await rig.register("popularity", {}, (model) => ({ ...model, seed: 4 }));
    await start(next, live);
    await judge(rig.context, LOOK);
    const open = await rig.context.shadowLog.openWatches();
    assert.deepEqual(open.map(({ kind }) => kind).sort(), ["canary", "watch"]);
    assert.ok(open.some(({ id }) => id === before.id));
  });

  it("only records where promotions are not automatic, once, and goes on watching", async () => {
    const manual = await rig.contextUnder({ promotion: { canaryShares: [0.1, 0.5], canaryUsers: 20 } });
    const version = (await canaryOf())?.version ?? "";
    for (let batch = 0; batch < 3; batch++) await look(BATCH, version, manual);
    assert.equal((await canaryOf())?.share, 0.1);
    const records = await manual.decisions.list({ challenger: version });
    assert.deepEqual(
      records.map(({ ruling }) => ruling.verdict),
      ["pass"],
    );
  });
});

describe("a challenger that passes the gate", () => {
  it("starts as a canary where the policy asks for one, and serves everybody when no step proves a loss", async () => {
    const rig = await startJobRig({
      shadow: { minimumUsers: 30, timeoutMs: 10_000 },
      guardrails: TOLERANT_GUARDRAILS,
      promotion: { automatic: true, canaryShares: [0.2], canaryUsers: 20 },
    });
    try {
      const { registry, shadowLog, decisions } = rig.context;
      const poor = await rig.register("popularity", {}, reversed);
      const better = await rig.register("popularity");
      await registry.promote({ version: poor, expectedLive: null, reason: "tests", actor: "tests" });
      await rig.evaluate(poor, (user) => 0.1 + user / 1000);
      await rig.evaluate(better, (user) => 0.2 + (user % 7) / 100);
      await screen(rig.context, better);
      const live = async () => await registry.live();
      const state = async () => (await registry.version(better))?.state;
      for (let batch = 0; batch < 60 && (await live())?.canary === null; batch++) {
        await rig.traffic(BATCH);
        await judge(rig.context, LOOK);
      }
      const started = await live();
      const [verdict] = await decisions.list({ challenger: better });
      assert.deepEqual(started?.canary, { version: better, share: 0.2, forced: false }, verdict?.sentence);
      assert.equal(started?.version, poor);
      assert.equal(await state(), "CANARY");
      const entry = (await registry.audit()).find(({ action }) => action === "canary");
      assert.equal(entry?.decisionId, verdict.id);
      await judge(rig.context, LOOK);
      assert.deepEqual(await shadowLog.openAttempts(), [], "its attempt has led to where it was to lead");

      for (let batch = 0; batch < 10 && (await live())?.canary !== null; batch++) {
        await rig.traffic(BATCH, { canary: better });
        await judge(rig.context, LOOK);
      }
      const ended = await live();
      assert.deepEqual([ended?.version, ended?.previous, ended?.canary], [better, poor, null]);
      assert.equal(await state(), "LIVE");
      assert.equal(await registry.verifyAudit(), null);
    } finally {
      await rig.stop();
    }
  });
});
