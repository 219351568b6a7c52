import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { forecast } from "../../../models/gate/forecast.ts";

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
