import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { canonicalJson, isRecord } from "../../../models/canonical-json.ts";
import {
  DEFAULT_POLICY,
  type Policy,
  PolicyError,
  parsePolicy,
  policySha256,
} from "../../../models/gate/policy.ts";
import { policyReference } from "../../../models/gate/policy-reference.ts";

describe("policy", () => {
  it("completes a short file with the defaults", () => {
    const policy = parsePolicy({ alpha: 0.01, guardrails: { latencyBudgetMs: 30 } });
    assert.equal(policy.alpha, 0.01);
    assert.equal(policy.guardrails.latencyBudgetMs, 30);
    assert.equal(policy.guardrails.coverageRatio, DEFAULT_POLICY.guardrails.coverageRatio);
    assert.deepEqual(parsePolicy({}), DEFAULT_POLICY);
  });
  it("has one hash for every way to write the same limits", () => {
    const reordered = parsePolicy({ mde: 0.01, alpha: 0.05 });
    assert.equal(policySha256(reordered), policySha256(DEFAULT_POLICY));
    assert.notEqual(policySha256(parsePolicy({ alpha: 0.04 })), policySha256(DEFAULT_POLICY));
  });
  it("keeps every default that records written before name, but those that were changed since", () => {
    const before = JSON.parse(
      readFileSync(new URL("../../../../tests/models/gate/policy-of-format-1.json", import.meta.url), "utf8"),
    ) as Policy;
    assert.equal(policySha256(before), "6a3ff658d028dc93d64baae3e908fc4233f3200d28bf45ae742dfeed0ea65d61");
    const changed = { shadow: { minimumUsers: 100 }, guardrails: { diversityRatio: 0.9 } };
    assert.equal(policySha256(restricted(parsePolicy(changed), before)), policySha256(before));
  });
  it("leaves what it was given, and the defaults, as they were", () => {
    const file = { guardrails: { latencyBudgetMs: 30 } };
    parsePolicy(file).guardrails.coldBelow = 7;
    parsePolicy({}).promotion.canaryShares.push(0.5);
    assert.deepEqual(file, { guardrails: { latencyBudgetMs: 30 } });
    assert.deepEqual(parsePolicy({}), DEFAULT_POLICY);
  });
  it("names the field, what it expected and what it got", () => {
    assert.throws(() => parsePolicy({ alpha: 1.5 }), /alpha: .*got 1\.5/);
    assert.throws(() => parsePolicy({ shadow: { ringSize: "big" } }), /shadow\.ringSize: .*got "big"/);
    assert.throws(() => parsePolicy({ screen: { admit: "all" } }), /screen\.admit/);
    assert.throws(() => parsePolicy([]), PolicyError);
    assert.throws(() => parsePolicy(null), /got null/);
    assert.throws(() => parsePolicy({ guardrails: null }), /guardrails: must be object, got null/);
  });
  it("refuses what it does not know instead of ignoring a misspelt limit", () => {
    assert.throws(() => parsePolicy({ alhpa: 0.01 }), /unknown field alhpa/);
    assert.throws(() => parsePolicy({ guardrails: { latency: 3 } }), /guardrails: unknown field latency/);
    assert.throws(() => parsePolicy(JSON.parse('{"__proto__": {"alpha": 1}}')), PolicyError);
    assert.throws(() => parsePolicy({ guardrails: { constructor: 1 } }), /unknown field constructor/);
  });
  it("refuses cohorts that overlap", () => {
    assert.throws(
      () => parsePolicy({ guardrails: { coldBelow: 60 } }),
      /heavyFrom: expected more than coldBelow 60/,
    );
  });
});

/** Without the limits that came later, which a new file may leave out. */
function restricted<T extends object>(whole: T, to: T): T {
  const kept = Object.entries(to).map(([key, value]) => {
    const own = Reflect.get(whole, key);
    return [key, isRecord(value) && isRecord(own) ? restricted(own, value) : own];
  });
  return Object.fromEntries(kept) as T;
}

describe("policy reference", () => {
  it("has a line for every limit, with its default, unit, bounds and sentence", () => {
    const page = policyReference();
    for (const [name, value] of Object.entries(DEFAULT_POLICY)) {
      for (const knob of typeof value === "object" ? Object.keys(value) : [name]) {
        assert.match(page, new RegExp(`^\\| \`${knob}\` \\| \`.+\` \\| .* \\| .+ \\| [A-Zp].+\\. \\|$`, "m"));
      }
    }
    assert.match(
      page,
      /^\| `latencyBudgetMs` \| `50` \| ms \| > 0 \| Largest p99 of a recommendation\. \|$/m,
    );
    assert.match(page, /^\| `admit` \| `"not-rejected"` \| {2}\| "passed" or "not-rejected" \|/m);
  });
});

describe("canonical JSON", () => {
  it("sorts keys at every level and keeps the order of arrays", () => {
    assert.equal(canonicalJson({ b: [{ d: 1, c: 2 }], a: undefined }), '{"b":[{"c":2,"d":1}]}');
  });
  it("writes what is not finite as missing", () => {
    assert.equal(canonicalJson([Number.NaN, Number.POSITIVE_INFINITY, 0.1]), "[null,null,0.1]");
  });
});
