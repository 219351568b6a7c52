import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { explainForecast } from "../../../models/gate/explain-forecast.ts";
import { forecast, forecastVerdicts } from "../../../models/gate/forecast.ts";
import { DEFAULT_POLICY } from "../../../models/gate/policy.ts";

const inputs = {
  figure: { test: "capped", cap: 0.3, lift: 0, variance: 0.0056 },
  baselineMean: 0.1,
  margin: 0.001,
  mde: 0.01,
  alpha: 0.0225,
  usersPerDay: 100,
  attributionDays: 7,
  horizonDays: 90,
} as const;

describe("forecast before training", () => {
  it("tells users and days, fewer for a larger lift", () => {
    const [small, large] = [0.1, 0.3].map((lift) => forecast(inputs, lift));
    assert.ok(Number(small.users) > Number(large.users) && large.provable === "yes", `${small.users}`);
    assert.equal(large.days, Number(large.users) / 100 + 7);
  });

  it("says that a lift within the margin is never proven, whatever the traffic", () => {
    assert.deepEqual(forecast({ ...inputs, usersPerDay: 1e9 }, 0.01), {
      lift: 0.01,
      users: null,
      days: null,
      provable: "within-margin",
    });
  });

  it("says that it cannot be proven here when the users do not come", () => {
    assert.equal(forecast({ ...inputs, usersPerDay: 2 }, 0.05).provable, "too-few-users");
    assert.equal(forecast({ ...inputs, usersPerDay: 0 }, 0.3).days, null);
  });

  it("needs more users where more challengers were tried", () => {
    const later = forecast({ ...inputs, alpha: 0.0225 / 45 }, 0.2);
    assert.ok(Number(later.users) > Number(forecast(inputs, 0.2).users));
  });
});

describe("forecast of a verdict on a baseline's rung and those above", () => {
  const figures = Array.from({ length: 400 }, (_, user) => (user % 4) * 0.05);
  const facts = { figures, usersPerDay: 50, attempt: 1 };
  const upgrade = (challenger: 2 | 4) =>
    forecastVerdicts(facts, { kind: "UPGRADE", phases: { challenger, baseline: 2 } }, DEFAULT_POLICY);

  it("asks more of a higher rung: a lift within its margin is not provable", () => {
    const [beside, above] = [upgrade(2), upgrade(4)];
    assert.deepEqual(
      beside.map(({ lift, provable }) => [lift, provable]).map(([lift]) => lift),
      [0.01, 0.02, 0.05],
    );
    assert.equal(beside[0].provable === "within-margin", false);
    assert.deepEqual(
      above.map(({ provable }) => provable === "within-margin"),
      [true, true, false],
    );
    assert.ok(Number(above[2].users) > Number(beside[2].users));
  });

  it("needs fewer users for a refresh, which must only not lose", () => {
    const phases = { challenger: 2, baseline: 2 } as const;
    const [refresh] = forecastVerdicts(facts, { kind: "REFRESH", phases }, DEFAULT_POLICY);
    assert.ok(Number(refresh.users) < Number(upgrade(2)[0].users));
  });

  it("is said in one clause where no such lift can be proven", () => {
    const none = { users: null, days: null, provable: "within-margin" as const };
    const far = { users: 17_321, days: 9e5, provable: "too-few-users" as const };
    assert.equal(
      explainForecast([
        { lift: 0.01, ...none },
        { lift: 0.05, ...far },
      ]),
      "no lift of 5 % or less can be proven here: 5 % takes about 18,000 users, more than a year",
    );
    assert.equal(explainForecast([{ lift: 0.01, ...none }]), "no lift of 1 % or less can be proven here");
  });

  it("is said in users and days, the largest lift first", () => {
    assert.equal(
      explainForecast([
        { lift: 0.01, users: null, days: null, provable: "within-margin" },
        { lift: 0.02, users: 41_234, days: 840, provable: "too-few-users" },
        { lift: 0.05, users: 310, days: 20.2, provable: "yes" },
      ]),
      "a lift of 5 % needs about 310 users, some 20 days; 2 % cannot be proven here: about 42,000 users, more than a year; 1 % cannot be proven, it lies within the margin",
    );
  });
});
