import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { splitOrder } from "../../../models/evaluation/split-order.ts";
import { type Event, logOf } from "../../support/interaction-logs.ts";

/** "u1 v2 u3": each user's events at those times. */
const at = (events: string) =>
  logOf(
    events.split(" ").map((event, item) => ({ user: event[0], item: `${item}`, at: Number(event.slice(1)) })),
  );

describe("the order of a split", () => {
  it("is of time when the test file begins where the train file ends", () => {
    assert.equal(splitOrder(at("u1 v2 u3"), at("u3 v4 w5")), "time");
  });

  it("is of each user when their test events follow their own train events only", () => {
    assert.equal(splitOrder(at("u1 u2 v7 v8"), at("u3 v9")), "user");
  });

  it("is none when the test events lie among the train events", () => {
    assert.equal(splitOrder(at("u1 u3 v7 v9"), at("u2 v8")), "none");
  });

  it("is none when all happened at once, or no user is in both files and the times overlap", () => {
    assert.equal(splitOrder(at("u5 u5 v5"), at("u5 v5")), "none");
    assert.equal(splitOrder(at("u1 v9"), at("w5 x6")), "none");
  });

  it("is told by the events of different times alone", () => {
    assert.equal(splitOrder(at("u1 u2 v7 v8"), at("u2 u3 v8 v9")), "user");
  });

  it("forgives one event in a hundred on the wrong side, and not two", () => {
    const days = (side: number): Event[] =>
      Array.from({ length: 200 }, (_, n) => ({ user: `${n}`, item: "a", at: 10 * n + side }));
    const stray = (n: number): Event => ({ user: `${n}`, item: "b", at: 0 });
    assert.equal(splitOrder(logOf(days(1)), logOf(days(2))), "user");
    assert.equal(splitOrder(logOf(days(1)), logOf([...days(2), stray(7), stray(8)])), "user");
    assert.equal(splitOrder(logOf(days(1)), logOf([...days(2), stray(7), stray(8), stray(9)])), "none");
  });
});
