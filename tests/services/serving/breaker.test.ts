import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Breaker } from "../../../services/serving/breaker.ts";

const LIMITS = { consecutiveFailures: 5, failureRate: 0.05, failureWindow: 200, requestTimeoutMs: 250 };

/** Feeds requests, "x" for a failure, and returns the position of the one that opened the breaker. */
function openedBy(breaker: Breaker, requests: string): number {
  return Array.from(requests, (request) => breaker.record(request === "x")).indexOf(true);
}

describe("the breaker", () => {
  it("opens at the fifth failure in a row, once, and says so", () => {
    const breaker = new Breaker(LIMITS);
    assert.equal(openedBy(breaker, "xxxx.xxxxxxx"), 9);
    assert.equal(breaker.why, "failed 5 requests in a row");
    assert.equal(breaker.record(true), false);
  });

  it("opens beyond 5 % of the last 200 requests, at the eleventh failure", () => {
    const breaker = new Breaker(LIMITS);
    const everySixteenth = `x${".".repeat(15)}`.repeat(12);
    assert.equal(openedBy(breaker, everySixteenth), 160);
    assert.equal(breaker.why, "failed 11 of the last 200 requests");
  });

  it("stays closed at exactly 5 % for ever", () => {
    const breaker = new Breaker(LIMITS);
    assert.equal(openedBy(breaker, `x${".".repeat(19)}`.repeat(500)), -1);
  });

  it("forgets failures that have left the window", () => {
    const breaker = new Breaker(LIMITS);
    const ten = "x.".repeat(10);
    assert.equal(openedBy(breaker, `${ten}${".".repeat(180)}${ten}`), -1);
  });

  it("starts afresh for another model", () => {
    const breaker = new Breaker(LIMITS);
    openedBy(breaker, "xxxxx");
    breaker.reset();
    assert.equal(breaker.why, null);
    assert.equal(openedBy(breaker, "xxxx."), -1);
  });
});
