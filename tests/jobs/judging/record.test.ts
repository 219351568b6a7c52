import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { ruleAndRecord } from "../../../jobs/judging/record.ts";
import { type Decision, recomputeDecision } from "../../../models/gate/decision.ts";
import { DEFAULT_POLICY } from "../../../models/gate/policy.ts";
import { type DecisionLog, redisDecisionLog } from "../../../services/registry/decisions.ts";
import { healthyEvidence } from "../../support/gate-evidence.ts";
import { redisSuite } from "../../support/redis-suite.ts";

const evidence = healthyEvidence({ users: 40 });

describe("the one way to a ruling", () => {
  const suite = redisSuite();
  let decisions: DecisionLog<Decision>;
  let context: Parameters<typeof ruleAndRecord>[0];
  beforeEach(async () => {
    await suite.redis.flushall();
    decisions = redisDecisionLog<Decision>(suite.redis);
    context = { decisions, policy: DEFAULT_POLICY, isoNow: () => "2026-01-01T00:00:00.000Z" };
  });

  it("returns the ruling, the sentence and the evidence that its record holds", async () => {
    const look = await ruleAndRecord(context, "shadow", evidence);
    const decision = await decisions.get(look.decision?.id ?? "");
    assert.ok(decision !== null && decision.hearing.about === "shadow");
    assert.deepEqual(look.evidence, decision.hearing.evidence);
    assert.deepEqual(look.evidence.users[0].user, "u1");
    assert.equal(look.sentence, decision.sentence);
    assert.deepEqual(JSON.parse(JSON.stringify(look.ruling)), decision.ruling);
    const { sameE, sameVerdict } = recomputeDecision(decision);
    assert.ok(sameE && sameVerdict);
  });

  it("rules alike where nothing is worth recording, and writes nothing", async () => {
    const seen = await ruleAndRecord(context, "shadow", evidence, { isWorthRecording: () => false });
    assert.equal(seen.decision, null);
    assert.deepEqual(await decisions.list(), []);
    const { decision: _, ...recorded } = await ruleAndRecord(context, "shadow", evidence);
    assert.deepEqual({ ...seen, decision: undefined }, { ...recorded, decision: undefined });
  });

  it("follows the record that says the same already, instead of making a second one", async () => {
    const first = await ruleAndRecord(context, "shadow", evidence, { actor: "another judge" });
    const again = await ruleAndRecord(context, "shadow", evidence, {
      recordedBefore: async () => first.decision,
    });
    assert.equal(again.decision, first.decision);
    assert.equal((await decisions.list()).length, 1);
  });
});
