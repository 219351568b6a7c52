import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import {
  type Decision,
  decisionOf,
  recomputeDecision,
  verifyDecisions,
} from "../../../models/gate/decision.ts";
import type { Pair } from "../../../models/gate/evidence.ts";
import { resultsOf } from "../../../models/gate/guardrails/all.ts";
import { guardrail } from "../../../models/gate/guardrails/guardrail.ts";
import { DEFAULT_POLICY, type Policy } from "../../../models/gate/policy.ts";
import { rule } from "../../../models/gate/ruling.ts";

/** One record of each kind, as version 0.1.0 wrote them. */
const FILE = new URL("../../../../tests/models/gate/earlier-decisions.jsonl", import.meta.url);
const decisions = readFileSync(FILE, "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Decision);

describe("decision records of an earlier version", () => {
  it("form a chain that still verifies", () => {
    assert.deepEqual(
      decisions.map(({ hearing }) => hearing.about),
      ["screen", "shadow", "canary", "watch", "fleet"],
    );
    assert.equal(verifyDecisions(decisions), null);
  });

  it("give the same evidence value, α and verdict when they are judged again", () => {
    for (const decision of decisions) {
      const { sameE, sameAlpha, sameVerdict } = recomputeDecision(decision);
      assert.ok(sameE && sameAlpha && sameVerdict, decision.sentence);
    }
  });

  it("were made under policies that lack what was added since", () => {
    for (const { policy } of decisions) assert.equal("panelDays" in policy.shadow, false);
    assert.ok("panelDays" in DEFAULT_POLICY.shadow);
  });

  it("are judged again by the checks that there were, not by one whose limit came later", () => {
    const shadow = decisions.flatMap(({ hearing, ruling, policy }) =>
      hearing.about === "shadow" && "guardrails" in ruling ? [{ ...hearing, ruling, policy }] : [],
    );
    assert.equal(shadow.length, 1);
    const [{ evidence, policy, ruling }] = shadow;
    const again = rule("shadow", evidence, policy).ruling;
    const checked = ({ code, outcome }: { code: string; outcome: string }) => [code, outcome];
    assert.deepEqual(again.guardrails.map(checked), ruling.guardrails.map(checked));

    const later = { since: "laterLimit", judge: () => [guardrail("LATER", "missing")] };
    assert.deepEqual(resultsOf([later], evidence, policy), []);
    const withLimit = { ...policy, guardrails: { ...policy.guardrails, laterLimit: 1 } };
    assert.deepEqual(resultsOf([later], evidence, withLimit), [guardrail("LATER", "missing")]);
  });

  it("are judged again by a p99 as it was judged then: on any number of latencies, whatever the baseline's", () => {
    const [{ evidence, policy }] = decisions.flatMap(({ hearing, policy }) =>
      hearing.about === "shadow" ? [{ ...hearing, policy }] : [],
    );
    const rejects = (latencyMs: Pair<readonly number[]>, under: Policy): boolean =>
      rule("shadow", { ...evidence, latencyMs }, under).ruling.reasons.includes("LATENCY");
    const three = { challenger: [400, 401, 402], baseline: [2, 2, 2] };
    const both = { challenger: new Array(2000).fill(51), baseline: new Array(2000).fill(50) };
    for (const latencyMs of [three, both]) {
      assert.equal(rejects(latencyMs, policy), true);
      const { latencyMinimumSamples } = DEFAULT_POLICY.guardrails;
      const later = { ...policy, guardrails: { ...policy.guardrails, latencyMinimumSamples } };
      assert.equal(rejects(latencyMs, later), false);
    }
  });

  it("name the newer version as challenger and the older one as baseline, in each kind", () => {
    for (const { hearing, policy, challenger, baseline, actor, at, previousSha256 } of decisions) {
      const again = decisionOf(rule(hearing.about, hearing.evidence, policy), { actor, at, previousSha256 });
      assert.deepEqual([again.challenger, again.baseline], [challenger, baseline]);
      assert.deepEqual(again.hearing, hearing);
    }
  });
});
