import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decide } from "../../../models/gate/decide.ts";
import type { ShadowEvidence } from "../../../models/gate/evidence.ts";
import { explain, explainWatch } from "../../../models/gate/explain.ts";
import { DEFAULT_POLICY, parsePolicy } from "../../../models/gate/policy.ts";
import { judgeWatch } from "../../../models/gate/watch.ts";
import { healthyEvidence } from "../../support/gate-evidence.ts";
import { numberPaths, replacedAt } from "../../support/lost-numbers.ts";

const policy = DEFAULT_POLICY;
const rule = (evidence: ShadowEvidence) => {
  const { verdict, reasons } = decide(evidence, policy);
  return [verdict, ...reasons];
};

describe("decide", () => {
  it("passes a proven lift when every guardrail holds", () => {
    assert.deepEqual(rule(healthyEvidence()), ["pass", "LIFT_PROVEN"]);
  });

  it("holds a small lift and says how many more users it would need", () => {
    const outcome = decide(healthyEvidence({ users: 254, lift: 0.008, standardDeviation: 0.075 }), policy);
    assert.equal(outcome.verdict, "hold");
    assert.equal(outcome.reasons[0], "LIFT_UNPROVEN");
    assert.ok((outcome.test?.moreUsers ?? 0) > 100);
  });

  it("holds a proven lift while a guardrail is open", () => {
    const evidence = { ...healthyEvidence(), requests: { asked: 500, failures: 0, timeouts: 0 } };
    assert.deepEqual(rule(evidence), ["hold", "FAILURE_RATE_UNPROVEN"]);
  });

  it("rejects harm whatever the lift", () => {
    const evidence = { ...healthyEvidence(), repeats: { checked: 10, different: 2 } };
    assert.deepEqual(rule(evidence), ["reject", "TWO_ANSWERS"]);
  });

  it("blames nobody for the service's own faults: it holds", () => {
    assert.deepEqual(rule({ ...healthyEvidence(), sham: { requests: 10, identical: 9 } }), [
      "hold",
      "SHAM_LANE",
    ]);
  });

  it("rejects a proven loss before its time", () => {
    const { verdict, reasons, test } = decide(healthyEvidence({ users: 300, lift: -0.05 }), policy);
    assert.equal(verdict, "reject");
    assert.ok(reasons.includes("PROVEN_LOSS"));
    assert.ok((test?.users ?? 0) < (test?.nMax ?? 0));
  });

  it("rejects a challenger without proof at the end of patience", () => {
    const patient = healthyEvidence({ users: 2000, lift: 0.006, standardDeviation: 0.1 });
    const { verdict, reasons, test } = decide(
      { ...patient, lists: patient.lists?.slice(0, 300) ?? null },
      { ...policy, mde: 0.03 },
    );
    assert.deepEqual([verdict, reasons], ["reject", ["NOT_ENOUGH_LIFT"]]);
    assert.ok(2000 >= (test?.nMax ?? Number.POSITIVE_INFINITY));
  });

  it("rejects a challenger whose lift is proven to lie below the margin, long before that", () => {
    const poor = healthyEvidence({ users: 3000, lift: 0.001, standardDeviation: 0.05 });
    const outcome = decide({ ...poor, lists: poor.lists?.slice(0, 300) ?? null }, policy);
    assert.deepEqual([outcome.verdict, outcome.reasons], ["reject", ["LIFT_BELOW_MARGIN"]]);
    assert.match(explain(outcome), /the lift of \+0\.00\d+ is proven to lie below its margin of \+0\.006\.$/);
  });

  it("asks later attempts for more evidence", () => {
    const evidence = healthyEvidence({ users: 200, lift: 0.04, standardDeviation: 0.1 });
    const first = decide(evidence, policy).test;
    const ninth = decide({ ...evidence, attempt: 9 }, policy).test;
    assert.ok((ninth?.alpha ?? 1) < (first?.alpha ?? 0));
    assert.ok((ninth?.lowerBound ?? 1) < (first?.lowerBound ?? 0));
  });

  it("spends what the place among all pairs leaves, where α limits the share of false promotions", () => {
    const healthy = healthyEvidence({ users: 60 });
    assert.ok(healthy.plan !== null);
    const at = (pair: number, promotions: number) =>
      decide(
        { ...healthy, plan: { ...healthy.plan, discovery: { pair, promotions } } as ShadowEvidence["plan"] },
        policy,
      ).test?.alpha ?? 0;
    assert.ok(at(40, 3) === 4 * at(40, 0) && at(40, 0) < at(2, 0));
    assert.equal(at(Number.NaN, 0), 0, "a plan without its numbers plans nothing");
  });

  it("holds below the policy's least number of users, however clear the lift", () => {
    const evidence = healthyEvidence({ users: 25, lift: 0.3 });
    assert.equal(decide(evidence, policy).test?.proven, true);
    const [verdict, first] = rule(evidence);
    assert.deepEqual([verdict, first], ["hold", "TOO_FEW_USERS"]);
  });
});

describe("missing or unusable evidence", () => {
  it("always holds, piece by piece", () => {
    for (const piece of [
      "plan",
      "requests",
      "faults",
      "repeats",
      "latencyMs",
      "lists",
      "sampling",
      "sham",
      "agreement",
      "feedback",
      "cost",
      "window",
    ] as const) {
      const [verdict, ...reasons] = rule({ ...healthyEvidence(), [piece]: null });
      assert.equal(verdict, "hold", piece);
      assert.ok(
        reasons.every((reason) => reason.endsWith("_MISSING")),
        `${piece}: ${reasons}`,
      );
    }
    assert.equal(rule({ ...healthyEvidence(), users: [] })[0], "hold");
  });

  it("holds on differences that are not finite, out of range, or counted twice", () => {
    const { users } = healthyEvidence();
    for (const difference of [Number.NaN, 1.5, Number.NEGATIVE_INFINITY]) {
      const poisoned = [...users.slice(1), { ...users[0], difference }];
      assert.ok(rule({ ...healthyEvidence(), users: poisoned }).includes("EVIDENCE_NOT_FINITE"));
    }
    const twice = rule({ ...healthyEvidence(), users: [...users, users[0]] });
    assert.equal(twice[0], "hold");
    assert.ok(twice.includes("USER_COUNTED_TWICE"));
  });

  it("never passes when any single number of it is not finite or lost", () => {
    const evidence = healthyEvidence({ users: 150 });
    const quick = parsePolicy({ guardrails: { resamples: 200 } });
    assert.equal(decide(evidence, quick).verdict, "pass");
    let tried = 0;
    for (const path of numberPaths(evidence)) {
      for (const nothing of [Number.NaN, null]) {
        const { verdict } = decide(replacedAt(evidence, path, nothing), quick);
        assert.notEqual(verdict, "pass", path.join("."));
        tried++;
      }
    }
    assert.ok(tried > 70, `${tried}`);
  });

  it("holds on a plan that says nothing", () => {
    const { plan } = healthyEvidence();
    assert.ok(plan !== null);
    for (const change of [
      { baselineMean: Number.NaN },
      { variance: Number.POSITIVE_INFINITY },
      { cpuMsPerRequest: { challenger: 0, baseline: 1 } },
    ]) {
      assert.deepEqual(rule({ ...healthyEvidence(), plan: { ...plan, ...change } }), [
        "hold",
        "PLAN_MISSING",
      ]);
    }
  });
});

describe("exposure bias", () => {
  const listDriven = { feedback: { events: 100, listDriven: 21 } };

  it("takes the decision away from the shadow when feedback answers our own lists", () => {
    assert.deepEqual(rule({ ...healthyEvidence(), ...listDriven }), [
      "hold",
      "EXPOSURE_BIAS",
      "COLD_USERS_MISSING",
      "LIGHT_USERS_MISSING",
      "HEAVY_USERS_MISSING",
    ]);
    assert.deepEqual(rule({ ...healthyEvidence(), feedback: { events: 100, listDriven: 20 } }), [
      "pass",
      "LIFT_PROVEN",
    ]);
  });

  it("gives it to interleaving, with the guardrails still standing", () => {
    const votes = (share: number) =>
      Array.from({ length: 600 }, (_, index) => ({
        user: `u${index}`,
        difference: index % 10 < share ? 1 : -1,
        cohort: "light" as const,
      }));
    assert.deepEqual(rule({ ...healthyEvidence(), ...listDriven, interleaving: votes(7) }), [
      "pass",
      "LIFT_PROVEN",
    ]);
    assert.equal(rule({ ...healthyEvidence(), ...listDriven, interleaving: votes(5) })[0], "hold");
    assert.ok(rule({ ...healthyEvidence(), ...listDriven, interleaving: votes(2) }).includes("PROVEN_LOSS"));
    const slow = { ...healthyEvidence(), ...listDriven, interleaving: votes(7), latencyMs: null };
    assert.deepEqual(rule(slow), ["hold", "LATENCY_MISSING"]);
  });

  it("splits an attempt's α between the two tests, as the policy declared it", () => {
    const votes = healthyEvidence().users.map(({ user, cohort }) => ({ user, cohort, difference: 1 }));
    for (const alphaShare of [0.5, 0.1]) {
      const declared = parsePolicy({ interleaving: { alphaShare } });
      for (const attempt of [1, 3]) {
        const evidence = { ...healthyEvidence(), attempt, interleaving: votes };
        const [shadow, interleaving] = [evidence, { ...evidence, ...listDriven }].map((heard) => {
          const outcome = decide(heard, declared);
          assert.ok(outcome.test !== null);
          assert.match(
            explain(outcome),
            outcome.stage === "shadow" ? /the shadow's share of α/ : /interleaving's share of α/,
          );
          return outcome.test.alpha;
        });
        const whole = declared.alpha / (attempt * (attempt + 1));
        assert.ok(Math.abs(interleaving - alphaShare * whole) < 1e-15);
        assert.ok(Math.abs(shadow + interleaving - whole) < 1e-15);
      }
    }
  });

  it("judges cohorts by their votes, not by what our own lists made users choose", () => {
    const biased = healthyEvidence({ lift: -0.1 });
    const votes = (lightShare: number, coldShare: number) =>
      Array.from({ length: 1200 }, (_, index) => {
        const cold = index % 2 === 0;
        const wins = index % 20 < 2 * (cold ? coldShare : lightShare);
        const cohort = cold ? ("cold" as const) : ("light" as const);
        return { user: `u${index}`, difference: wins ? 1 : -1, cohort };
      });
    const voted = { ...biased, ...listDriven };
    assert.deepEqual(rule({ ...voted, interleaving: votes(7, 7) }), ["pass", "LIFT_PROVEN"]);
    assert.deepEqual(rule({ ...voted, interleaving: votes(9, 3) }), ["reject", "COLD_USERS"]);
  });
});

describe("refresh", () => {
  const refresh = (lift: number, users = 3000): ShadowEvidence => {
    const evidence = healthyEvidence({ users, lift, standardDeviation: 0.02 });
    return {
      ...evidence,
      kind: "REFRESH",
      baseline: { ...evidence.challenger, version: "item-knn-cccccccccccc" },
      lists: evidence.lists?.slice(0, 300) ?? null,
      lastUpgrade: "is-baseline",
    };
  };

  it("needs no lift, only proof of no loss", () => {
    assert.deepEqual(rule(refresh(0)), ["pass", "NOT_WORSE_PROVEN"]);
    assert.equal(rule(refresh(-0.004))[0], "reject");
  });

  it("is not promoted when every list is the live version's own, however long one looks", () => {
    const same = { ...refresh(0), users: refresh(0).users.map((user) => ({ ...user, difference: 0 })) };
    const requests = 5000;
    assert.deepEqual(rule({ ...same, agreement: { requests, identical: requests - 1 } }), [
      "pass",
      "NOT_WORSE_PROVEN",
    ]);
    const twin = { ...same, agreement: { requests, identical: requests } };
    assert.deepEqual(rule(twin), ["reject", "NOTHING_CHANGED"]);
    assert.equal(
      explain(decide(twin, policy)),
      "Rejected: after 3,000 users every list was the live version's own, so that promoting it would change nothing.",
    );
    assert.equal(rule({ ...twin, users: twin.users.slice(0, 150) })[0], "hold");
  });

  it("must also not lose to the last upgrade, so that small losses cannot add up", () => {
    const rows = (lift: number) =>
      refresh(lift).users.map(({ user, difference, baseline }) => ({ user, difference, baseline }));
    assert.deepEqual(rule({ ...refresh(0), lastUpgrade: rows(0) }), ["pass", "NOT_WORSE_PROVEN"]);
    assert.deepEqual(rule({ ...refresh(0), lastUpgrade: rows(-0.004) }), ["hold", "LAST_UPGRADE_UNPROVEN"]);
    assert.deepEqual(rule({ ...refresh(0), lastUpgrade: null }), ["hold", "LAST_UPGRADE_MISSING"]);
  });
});

describe("one sentence of plain English", () => {
  const said = (evidence: ShadowEvidence) => explain(decide(evidence, policy));

  it("for a hold without users, saying when all that was told is older than the comparison", () => {
    const { sampling } = healthyEvidence();
    assert.ok(sampling !== null);
    const backlog = { ...sampling, joined: 0, unanswered: 0, early: 5300 };
    const sentence = explain(decide({ ...healthyEvidence(), users: [], sampling: backlog }, policy));
    assert.equal(
      sentence,
      "Held: no user has been judged yet; what users did after 5,300 requests dates from before the comparison.",
    );
  });

  it("for a pass, with users, lift, bound and margin", () => {
    assert.match(
      said(healthyEvidence()),
      /^Passed: after 400 users the lift is \+0\.\d{3}, at least \+0\.\d{3} \(98\.75 % confidence at any time, the shadow's share of α\), beyond the margin of \+0\.\d{3}; every guardrail holds\.$/,
    );
  });
  it("for a hold, with how many more users would settle it", () => {
    assert.match(
      said(healthyEvidence({ users: 254, lift: 0.012, standardDeviation: 0.075, seed: 3 })),
      /^Held: after 254 users the lift of \+0\.0\d\d is compatible with none; about [\d,]+ more users would settle it/,
    );
  });
  it("for a hold, with the days that so many users take, and with what a later attempt is asked for and why", () => {
    const held = healthyEvidence({ users: 254, lift: 0.012, standardDeviation: 0.075, seed: 3 });
    const told = (more: Partial<ShadowEvidence>) =>
      explain(decide({ ...held, ...more }, policy), { ...held, ...more });
    assert.match(told({ usersPerDay: 100 }), /more users would settle it, some \d+ days at this rate/);
    assert.match(told({ usersPerDay: 1e6 }), /would settle it, less than an hour at this rate/);
    assert.match(told({ usersPerDay: 1e-3 }), /would settle it, more than a year at this rate/);
    assert.doesNotMatch(told({}), /at this rate|attempt/);
    assert.match(
      told({ attempt: 3 }),
      /\(attempt 3 at this baseline: each takes its part of α, so this one must be proven at 99\.\d+ % confidence\)/,
    );
  });
  it("for a hold on a guardrail, with the guardrail's numbers", () => {
    const evidence = { ...healthyEvidence(), requests: { asked: 500, failures: 0, timeouts: 0 } };
    assert.match(
      said(evidence),
      /^Held: the lift of \+0\.\d{3} is proven after 400 users, but the rate of failures and time-outs is 0 %, somewhere in 0 % to 0\.6 % \(limit 0\.1 %, guardrails\.failureRate\); 2,495 more requests like these would settle it\.$/,
    );
  });
  it("for a rejection, with what was found", () => {
    const evidence = { ...healthyEvidence(), repeats: { checked: 10, different: 2 } };
    assert.equal(said(evidence), "Rejected: 2 queries with two answers (none is tolerated).");
    assert.match(said(healthyEvidence({ users: 300, lift: -0.05 })), /^Rejected: .*(−0\.05|light users)/);
  });
  it("for a refresh, with the loss that is still possible", () => {
    const evidence: ShadowEvidence = {
      ...healthyEvidence({ users: 150, lift: 0, standardDeviation: 0.05 }),
      kind: "REFRESH",
      lastUpgrade: "is-baseline",
    };
    assert.match(
      said(evidence),
      /^Held: after 150 users the lift of .0\.\d+ does not exclude a loss beyond −0\.002;/,
    );
  });
  it("for the beginning, when nobody has been judged", () => {
    const { sampling } = healthyEvidence();
    assert.ok(sampling !== null);
    const counts = { ...sampling, sampled: sampling.sampled - sampling.early, early: 0 };
    const begun = { ...healthyEvidence(), users: [], sampling: counts };
    assert.equal(said(begun), "Held: no user has been judged yet.");
    const broken = { ...begun, sham: { requests: 40, identical: 38 } };
    assert.equal(said(broken), "Held: no user has been judged yet; also open: sham lane.");
  });
});

describe("watching the live version after a promotion", () => {
  const { challenger: live, baseline: previous } = healthyEvidence();
  const watched = (lead: number, users: number) => {
    const rows = healthyEvidence({ lift: lead, users, standardDeviation: 0.075 }).users;
    return judgeWatch({ live, previous, users: rows, variance: 0.0056 }, policy);
  };

  it("rolls back once the loss is proven, and goes on watching before", () => {
    assert.equal(watched(0.05, 20).verdict, "hold");
    const ruling = watched(0.05, 300);
    assert.deepEqual([ruling.verdict, ruling.reasons], ["reject", ["PROVEN_WORSE_THAN_PREVIOUS"]]);
    assert.match(
      explainWatch(ruling),
      /^Proven worse: after 300 users the previous version leads by \+0\.0\d\d/,
    );
  });
  it("ends the watch of a version that does no harm", () => {
    assert.equal(watched(-0.02, 999).verdict, "hold");
    assert.equal(watched(-0.02, 1000).verdict, "pass");
  });
  it("does not roll back on evidence it cannot use", () => {
    const users = [{ user: "u", difference: Number.NaN }];
    assert.equal(judgeWatch({ live, previous, users, variance: 0.1 }, policy).verdict, "hold");
  });
});

it("a stricter policy changes the verdict, and nothing else does", () => {
  const strict = parsePolicy({ shadow: { minimumUsers: 5000 } });
  assert.deepEqual(decide(healthyEvidence(), strict).reasons, ["TOO_FEW_USERS"]);
  assert.deepEqual(decide(healthyEvidence(), policy), decide(healthyEvidence(), policy));
});
