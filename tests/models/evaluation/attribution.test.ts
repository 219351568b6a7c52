import assert from "node:assert/strict";
import { test } from "node:test";
import { itemId } from "../../../models/data/ids.ts";
import { attribute } from "../../../models/evaluation/attribution.ts";

const DAY_MS = 86_400_000;
const options = {
  windowMs: 7 * DAY_MS,
  windowEvents: 0,
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
    firstAt: 2 * DAY_MS,
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

test("a window also closes with so many events, which says the same as waiting when all of them are in", () => {
  const events = [event(1, "a", 1), event(2, "b", 2), event(3, "c", 2.5), event(4, "d", 3)];
  const requests = [request(1, ["b"], ["c"]), request(2, ["d"], ["c"])];
  const counting = { ...options, windowEvents: 3, watermark: 3 * DAY_MS };
  assert.equal(attribute(requests, events.slice(0, 3), counting).state, "open");
  const counted = attribute(requests, events, counting);
  const waited = attribute(requests, events, options);
  assert.ok(counted.state === "closed" && waited.state === "closed");
  assert.deepEqual({ ...counted, closedAt: 0 }, { ...waited, closedAt: 0 });
  assert.deepEqual([counted.closedAt, waited.closedAt], [3 * DAY_MS, 9 * DAY_MS]);
});

test("what comes after the counted events counts no more, and days still close the window of who does little", () => {
  const events = [event(1, "a", 1), event(2, "b", 2), event(3, "c", 3), event(4, "late", 2.5)];
  const counting = { ...options, windowEvents: 2 };
  const joined = attribute([request(1, ["late"], ["c"])], events, counting);
  assert.ok(joined.state === "closed");
  assert.deepEqual([joined.challenger, joined.events, joined.closedAt], [0, 2, 3 * DAY_MS]);
  const slow = [event(1, "a", 1), event(2, "b", 2), event(3, "c", 20)];
  const byTime = attribute([request(1, ["b"], ["c"])], slow, counting);
  assert.ok(byTime.state === "closed");
  assert.deepEqual([byTime.closedAt, byTime.events], [9 * DAY_MS, 1]);
});
