import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { DEFAULT_POLICY, type Policy, parsePolicy, policySha256 } from "../../../models/gate/policy.ts";
import { goesOnUnder, testSha256 } from "../../../models/gate/test-numbers.ts";

const opened = { policySha256: policySha256(DEFAULT_POLICY), testSha256: testSha256(DEFAULT_POLICY) };

describe("the numbers of a test", () => {
  it("let it go on under a policy that changes other limits", () => {
    for (const file of [
      { guardrails: { latencyBudgetMs: 30 } },
      { shadow: { minimumUsers: 500, maximumChallengers: 9 } },
      { promotion: { automatic: true } },
    ]) {
      assert.ok(goesOnUnder(opened, parsePolicy(file)), JSON.stringify(file));
    }
  });

  it("end it under one that changes what is tested", () => {
    for (const file of [
      { alpha: 0.1 },
      { mde: 0.02 },
      { margins: { perPhase: 0 } },
      { interleaving: { alphaShare: 0.1 } },
      { shadow: { attributionDays: 3 } },
      { shadow: { panelDays: 1 } },
      { shadow: { requestsPerUser: 5 } },
      { evidence: { minimumUserAge: 2 } },
    ]) {
      assert.ok(!goesOnUnder(opened, parsePolicy(file)), JSON.stringify(file));
    }
  });

  it("let go on what an earlier version opened under the same file", () => {
    const path = new URL("../../../../tests/models/gate/policy-of-format-1.json", import.meta.url);
    const before = JSON.parse(readFileSync(path, "utf8")) as Policy;
    const earlier = { policySha256: policySha256(before) };
    assert.ok(goesOnUnder(earlier, DEFAULT_POLICY));
    assert.ok(!goesOnUnder(earlier, parsePolicy({ alpha: 0.1 })));
  });
});
