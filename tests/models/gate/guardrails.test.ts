import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Cohort } from "../../../models/evaluation/cohorts.ts";
import { noFaults } from "../../../models/evaluation/list-faults.ts";
import type { ShadowEvidence } from "../../../models/gate/evidence.ts";
import { allGuardrails } from "../../../models/gate/guardrails/all.ts";
import { explainGuardrail } from "../../../models/gate/guardrails/explain-guardrail.ts";
import { DEFAULT_POLICY } from "../../../models/gate/policy.ts";
import { type ReasonCode, reasonOf } from "../../../models/gate/reasons.ts";
import { healthyEvidence, withConstantList } from "../../support/gate-evidence.ts";

const healthy = healthyEvidence();

function reasons(change: Partial<ShadowEvidence>): ReasonCode[] {
  return allGuardrails({ ...healthy, ...change }, DEFAULT_POLICY)
    .map(reasonOf)
    .filter((reason) => reason !== null);
}

const milliseconds = (count: number, value: number) => new Array<number>(count).fill(value);

describe("guardrails", () => {
  it("all pass on healthy evidence", () => {
    assert.deepEqual(reasons({}), []);
  });

  it("tolerate not one broken list", () => {
    const codes = {
      "non-finite-score": "NON_FINITE_SCORE",
      "empty-list": "EMPTY_LIST",
      "short-list": "SHORT_LIST",
      "long-list": "LONG_LIST",
      "duplicate-item": "DUPLICATE_ITEM",
      "seen-item": "SEEN_ITEM",
      "unknown-item": "UNKNOWN_ITEM",
      "hidden-item": "HIDDEN_ITEM",
    } as const;
    for (const [fault, code] of Object.entries(codes)) {
      assert.deepEqual(reasons({ faults: { ...noFaults(), [fault]: 1 } }), [code]);
    }
    assert.deepEqual(reasons({ repeats: { checked: 50, different: 1 } }), ["TWO_ANSWERS"]);
  });

  it("prove a low failure rate from 2,995 requests without one on", () => {
    const failing = (asked: number, failures: number, timeouts = 0) =>
      reasons({ requests: { asked, failures, timeouts } });
    assert.deepEqual(failing(2995, 0), []);
    assert.deepEqual(failing(2994, 0), ["FAILURE_RATE_UNPROVEN"]);
    assert.deepEqual(failing(5000, 25, 25), ["FAILURE_RATE"]);
    assert.deepEqual(failing(5000, 0, 5000), ["FAILURE_RATE"]);
  });

  it("hold the p99 against the budget and against the baseline in the same worker", () => {
    const slow = (challenger: number, baseline: number, count = 2000) =>
      reasons({
        latencyMs: { challenger: milliseconds(count, challenger), baseline: milliseconds(count, baseline) },
      });
    assert.deepEqual(slow(24, 20), []);
    assert.deepEqual(slow(60, 20), ["LATENCY"]);
    assert.deepEqual(slow(51, 50), ["LATENCY_UNPROVEN"], "the baseline breaks the budget as well");
    assert.deepEqual(slow(3, 0.1), [], "below what anybody notices");
    assert.deepEqual(slow(20, 20, 200), ["LATENCY_UNPROVEN"], "too few samples for an upper bound");
  });

  it("reject no p99 on fewer latencies than the policy asks for, nor one that the baseline's own excuses", () => {
    const judged = (challenger: number[], baseline: number[]) => {
      const results = allGuardrails({ ...healthy, latencyMs: { challenger, baseline } }, DEFAULT_POLICY);
      const result = results.find(({ code }) => code === "LATENCY") ?? results[0];
      return [result.outcome, explainGuardrail(result)];
    };
    for (const count of [3, 100, 999]) {
      const [outcome, sentence] = judged(milliseconds(count, 400), milliseconds(count, 2));
      assert.equal(outcome, "unproven", `${count} latencies`);
      assert.match(sentence, new RegExp(`; ${1000 - count} more requests like these would settle it$`));
    }
    assert.equal(judged(milliseconds(1000, 400), milliseconds(1000, 2))[0], "fail");
    assert.equal(judged(milliseconds(1000, 400), milliseconds(999, 2))[0], "unproven");
    // A machine that is overloaded one time in fifty: both lanes wait.
    const starved = (usualMs: number) =>
      Array.from({ length: 2000 }, (_, n) => (n % 50 === 0 ? 80 + usualMs : usualMs));
    const [outcome, sentence] = judged(starved(6), starved(0.2));
    assert.equal(outcome, "unproven");
    assert.equal(
      sentence,
      "the p99 of a recommendation is 86 ms (limit 50 ms, guardrails.latencyBudgetMs); the baseline's may be 80.2 ms in the same lanes, so that the machine may be to blame: give the worker a machine that is not busy",
    );
    assert.equal(judged(starved(6), milliseconds(2000, 0.2))[0], "fail", "its own doing");
  });

  it("hold memory, CPU and training time to their caps", () => {
    const cost = { memoryMb: 2000, cpuMsPerRequest: 100, trainingSeconds: 1e6 };
    assert.deepEqual(reasons({ cost }), ["MEMORY", "CPU_TIME", "TRAINING_TIME"]);
    assert.deepEqual(reasons({ cost: { memoryMb: 10, cpuMsPerRequest: Number.NaN, trainingSeconds: 1 } }), [
      "CPU_TIME_MISSING",
    ]);
  });

  it("see a list that is the same for everybody", () => {
    assert.deepEqual(reasons({ lists: withConstantList(healthy.lists ?? []) }), [
      "COVERAGE",
      "CONCENTRATION",
    ]);
  });

  it("see popular and uniform lists by novelty and diversity", () => {
    const dull = (healthy.lists ?? []).map(({ challenger, baseline }) => ({
      challenger: { ...challenger, novelty: baseline.novelty / 2, diversity: baseline.diversity / 2 },
      baseline,
    }));
    assert.deepEqual(reasons({ lists: dull }), ["NOVELTY", "DIVERSITY"]);
  });

  it("wait where the coverage of few users lies about the limit", () => {
    const [first, ...others] = (healthy.lists ?? []).slice(0, 20);
    const repeating = others.map((pair, index) =>
      index % 4 === 0 ? { ...pair, challenger: first.challenger } : pair,
    );
    assert.ok(reasons({ lists: [first, ...repeating] }).includes("COVERAGE_UNPROVEN"));
  });

  it("do not reject for ever because of one unlucky start", () => {
    assert.deepEqual(reasons({ requests: { asked: 10, failures: 1, timeouts: 0 } }), [
      "FAILURE_RATE_UNPROVEN",
    ]);
    const unlucky = healthy.users.map((user, index) =>
      user.cohort === "cold" && index < 100 ? { ...user, difference: -0.02 } : user,
    );
    assert.deepEqual(reasons({ users: unlucky.slice(0, 100) }), ["COLD_USERS_UNPROVEN"]);
  });

  it("let no cohort pay for the mean", () => {
    const hurt = (cohort: Cohort) =>
      healthy.users.map((user) => (user.cohort === cohort ? { ...user, difference: -0.2 } : user));
    assert.deepEqual(reasons({ users: hurt("cold") }), ["COLD_USERS"]);
    assert.deepEqual(reasons({ users: hurt("light") }), ["LIGHT_USERS"]);
    assert.deepEqual(reasons({ users: hurt("heavy") }), ["HEAVY_USERS"]);
  });

  it("judge a cohort for which the baseline never scores by what it gains", () => {
    const gains = (size: number) =>
      healthy.users.map((user, index) =>
        user.cohort === "heavy" ? { ...user, baseline: 0, difference: (index % 2) * size } : user,
      );
    assert.deepEqual(reasons({ users: gains(0.1) }), []);
    assert.deepEqual(reasons({ users: gains(-0.001) }), ["HEAVY_USERS_UNPROVEN"]);
  });

  it("let a cohort that hardly occurs be, and wait for one that does", () => {
    const withCold = (cold: number, others: number) => ({
      users: [
        ...healthy.users.filter(({ cohort }) => cohort === "cold").slice(0, cold),
        ...healthy.users.filter(({ cohort }) => cohort !== "cold").slice(0, others),
      ],
    });
    assert.deepEqual(reasons(withCold(15, 400)), []);
    assert.deepEqual(reasons(withCold(0, 400)), []);
    assert.deepEqual(reasons(withCold(15, 100)), ["COLD_USERS_UNPROVEN"]);
  });

  it("want every sampled request accounted for and few of them shed", () => {
    const sampling = { sampled: 100, joined: 60, unanswered: 7, early: 2, pending: 10, shed: 20, failed: 1 };
    assert.deepEqual(reasons({ sampling }), []);
    assert.deepEqual(reasons({ sampling: { ...sampling, joined: 59 } }), ["SAMPLING_INTEGRITY"]);
    assert.deepEqual(reasons({ sampling: { ...sampling, joined: 59, shed: 21 } }), ["SHED"]);
  });

  it("want the sham lane to agree with itself and training to end before judging begins", () => {
    assert.deepEqual(reasons({ sham: { requests: 10, identical: 9 } }), ["SHAM_LANE"]);
    assert.deepEqual(reasons({ window: { trainedThrough: 5, judgedFrom: 4 } }), ["TRAINED_PAST_CUT"]);
  });

  it("report what is missing as missing, never as good", () => {
    const missing = reasons({
      requests: null,
      faults: null,
      repeats: null,
      latencyMs: null,
      lists: null,
      sampling: null,
      sham: null,
      cost: null,
      window: null,
      users: [],
    });
    assert.equal(missing.length, allGuardrails(healthy, DEFAULT_POLICY).length - 7);
    assert.ok(missing.every((reason) => reason.endsWith("_MISSING")));
  });

  it("explain themselves with their numbers", () => {
    const lists = withConstantList(healthy.lists ?? []);
    const results = allGuardrails(
      { ...healthy, lists, requests: { asked: 5000, failures: 50, timeouts: 0 } },
      DEFAULT_POLICY,
    );
    const sentence = (code: string) =>
      explainGuardrail(results.find((result) => result.code === code) ?? results[0]);
    assert.equal(
      sentence("COVERAGE"),
      "coverage against the baseline's is 0.02 (limit 0.9, guardrails.coverageRatio)",
    );
    assert.equal(
      sentence("FAILURE_RATE"),
      "the rate of failures and time-outs is 1 % (limit 0.1 %, guardrails.failureRate)",
    );
  });

  it("say how many more requests or users settle what they hold on", () => {
    const sentenceOf = (code: string, change: Partial<ShadowEvidence>) => {
      const results = allGuardrails({ ...healthy, ...change }, DEFAULT_POLICY);
      return explainGuardrail(results.find((result) => result.code === code) ?? results[0]);
    };
    const requests = { asked: 1000, failures: 0, timeouts: 0 };
    assert.match(
      sentenceOf("FAILURE_RATE", { requests }),
      /; 1,995 more requests like these would settle it$/,
    );
    const latencyMs = { challenger: milliseconds(200, 20), baseline: milliseconds(200, 20) };
    assert.match(sentenceOf("LATENCY", { latencyMs }), /; 99 more requests like these would settle it$/);
    const lists = (healthy.lists ?? []).slice(0, 20);
    assert.match(sentenceOf("COVERAGE", { lists }), /; about 10 more users like these would settle it$/);
  });

  it("do not blame a challenger for what starves the baseline's lane too", () => {
    const starved = { asked: 5000, failures: 0, timeouts: 60 };
    assert.deepEqual(reasons({ requests: starved }), ["FAILURE_RATE"]);
    assert.deepEqual(reasons({ requests: { ...starved, baselineFailed: 50 } }), ["FAILURE_RATE_UNPROVEN"]);
    assert.deepEqual(reasons({ requests: { ...starved, baselineFailed: 0 } }), ["FAILURE_RATE"]);
  });

  it("measure personal lists against what the same users chose, where that is less varied than the baseline's", () => {
    const personal = (chosen: number | undefined) =>
      (healthy.lists ?? []).map(({ challenger, baseline }) => ({
        challenger: { ...challenger, diversity: 0.45 },
        baseline: { ...baseline, diversity: 0.678 },
        chosenDiversity: chosen,
      }));
    assert.deepEqual(reasons({ lists: personal(undefined) }), ["DIVERSITY"]);
    assert.deepEqual(reasons({ lists: personal(0.6) }), []);
    assert.deepEqual(reasons({ lists: personal(0.9) }), ["DIVERSITY"], "the baseline's is the smaller one");
    const few = personal(undefined).map((row, user) =>
      user % 3 === 0 ? { ...row, chosenDiversity: 0.6 } : row,
    );
    assert.deepEqual(reasons({ lists: few }), ["DIVERSITY"], "a third of the users is no reference");
  });

  it("reject a concentration that is proven, hold on one that few users show by chance", () => {
    const lists = healthy.lists ?? [];
    const narrow = lists.map(({ challenger, baseline }) => ({
      challenger: { ...challenger, items: challenger.items.map((item) => item % 400) },
      baseline,
    }));
    assert.ok(reasons({ lists: narrow }).includes("CONCENTRATION"));
    assert.ok(reasons({ lists: narrow.slice(0, 40) }).includes("CONCENTRATION_UNPROVEN"));
    const first = healthy.plan === null ? null : { ...healthy.plan, figure: undefined };
    assert.ok(
      reasons({ lists: narrow.slice(0, 40), plan: first }).includes("CONCENTRATION"),
      "as it once was",
    );
  });
});
