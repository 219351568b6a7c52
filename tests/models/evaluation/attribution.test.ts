import assert from "node:assert/strict";
import { test } from "node:test";
import { itemId } from "../../../models/data/ids.ts";
import { attribute } from "../../../models/evaluation/attribution.ts";

const DAY_MS = 86_400_000;
const options = {
  windowMs: 7 * DAY_MS,
  watermark: 100 * DAY_MS,
  openedAt: 0,
  relevantEvents: 10,
  maxRequests: 20,
};
const ids = (...names: string[]) => names.map(itemId);
const event = (sequence: number, item: string, day: number, listDriven = false) => ({
  sequence,
  itemId: itemId(item),
  timestamp: day * DAY_MS,
  listDriven,
});
const request = (historyThrough: number, challenger: string[], baseline: string[]) => ({
  historyThrough,
  k: 10,
  challenger: ids(...challenger),
  baseline: ids(...baseline),
});

test("a hit at rank one against a miss is a whole point", () => {
  const joined = attribute([request(1, ["b"], ["c"])], [event(1, "a", 1), event(2, "b", 2)], options);
  assert.deepEqual(joined, {
    state: "closed",
    closedAt: 9 * DAY_MS,
    challenger: 1,
    baseline: 0,
    joined: 1,
    unanswered: 0,
    early: 0,
    historyLength: 1,
    events: 1,
    listDriven: 0,
  });
});

test("a window stays open until event time has passed its end, or while nothing followed", () => {
  const events = [event(1, "a", 1), event(2, "b", 2)];
  const early = { ...options, watermark: 9 * DAY_MS - 1 };
  assert.equal(attribute([request(1, ["b"], ["c"])], events, early).state, "open");
  assert.equal(attribute([request(2, ["b"], ["c"])], events, options).state, "open");
  assert.equal(attribute([], events, options).state, "open");
});

test("events outside the window and items seen before the request are not relevant", () => {
  const events = [event(1, "a", 1), event(2, "a", 2), event(3, "z", 30)];
  assert.equal(attribute([request(1, ["a", "z"], ["c"])], events, options).state, "nothing-relevant");
});

test("what arrived before the request is history even when its event time is later", () => {
  const events = [event(1, "late", 5), event(2, "b", 2)];
  const joined = attribute([request(1, ["late"], ["b"])], events, options);
  assert.equal(joined.state === "closed" && joined.challenger, 0);
  assert.equal(joined.state === "closed" && joined.baseline, 1);
});

test("requests are averaged into one figure a user, the first ones only", () => {
  const events = [event(1, "a", 1), event(2, "b", 2), event(3, "c", 2), event(4, "d", 2, true)];
  const requests = [request(3, ["d"], ["x"]), request(2, ["x"], ["x"]), request(1, ["x"], ["x"])];
  const joined = attribute(requests, events, { ...options, relevantEvents: 1 });
  assert.equal(joined.state === "closed" && joined.joined, 3);
  assert.ok(joined.state === "closed" && Math.abs(joined.challenger - 1 / 3) < 1e-12);
  assert.deepEqual(joined.state === "closed" && [joined.events, joined.listDriven], [3, 1]);
  const firstTwo = attribute(requests, events, { ...options, relevantEvents: 1, maxRequests: 2 });
  assert.equal(firstTwo.state === "closed" && firstTwo.challenger, 0);
  assert.equal(firstTwo.state === "closed" && firstTwo.unanswered, 1);
});

test("a request answered by an event older than the comparison is left out, and counted", () => {
  const opened = { ...options, openedAt: 3 * DAY_MS };
  const late = [event(1, "a", 1), event(2, "b", 2), event(3, "c", 4)];
  const onlyOld = attribute([request(1, ["b"], ["x"])], late, opened);
  assert.deepEqual(onlyOld, { state: "open", early: 1 });
  const joined = attribute([request(1, ["b"], ["x"]), request(2, ["c"], ["x"])], late, opened);
  assert.ok(joined.state === "closed");
  assert.deepEqual([joined.early, joined.joined, joined.challenger], [1, 1, 1]);
  assert.equal(joined.closedAt, 11 * DAY_MS);
});
