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
  periodMs: 7 * DAY_MS,
  maxRequests: 20,
};
const ids = (...names: string[]) => names.map(itemId);
const event = (sequence: number, item: string, day: number, listDriven = false) => ({
  sequence,
  itemId: itemId(item),
  timestamp: day * DAY_MS,
  listDriven,
});
const request = (historyThrough: number, challenger: string[], baseline: string[], place = 0.5) => ({
  historyThrough,
  k: 10,
  place,
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
    chosen: [ids("b")],
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

test("requests are averaged into one figure a user, those with the smallest places", () => {
  const events = [event(1, "a", 1), event(2, "b", 2), event(3, "c", 2), event(4, "d", 2, true)];
  const requests = [
    request(3, ["d"], ["x"], 0.2),
    request(2, ["x"], ["x"], 0.9),
    request(1, ["x"], ["x"], 0.1),
  ];
  const joined = attribute(requests, events, { ...options, relevantEvents: 1 });
  assert.equal(joined.state === "closed" && joined.joined, 3);
  assert.ok(joined.state === "closed" && Math.abs(joined.challenger - 1 / 3) < 1e-12);
  assert.deepEqual(joined.state === "closed" && [joined.events, joined.listDriven], [3, 1]);
  const two = attribute(requests, events, { ...options, relevantEvents: 1, maxRequests: 2 });
  assert.equal(two.state === "closed" && two.challenger, 1 / 2);
  assert.equal(two.state === "closed" && two.unanswered, 1);
});

test("a request answered by an event older than the comparison is left out, and counted", () => {
  const opened = { ...options, openedAt: 3 * DAY_MS };
  const late = [event(1, "a", 1), event(2, "b", 2), event(3, "c", 4)];
  const onlyOld = attribute([request(1, ["b"], ["x"])], late, opened);
  assert.deepEqual(onlyOld, { state: "open", early: 1, until: null });
  const joined = attribute([request(1, ["b"], ["x"]), request(2, ["c"], ["x"])], late, opened);
  assert.ok(joined.state === "closed");
  assert.deepEqual([joined.early, joined.joined, joined.challenger], [1, 1, 1]);
  assert.equal(joined.closedAt, 11 * DAY_MS);
});

test("a user is judged when the period is over and the last sampled window has closed", () => {
  const events = [event(1, "a", 1), event(2, "b", 2), event(3, "c", 8)];
  const requests = [request(1, ["b"], ["x"]), request(2, ["c"], ["x"], 0.1)];
  const at = (day: number, maxRequests = 20) =>
    attribute(requests, events, { ...options, maxRequests, watermark: day * DAY_MS });
  assert.equal(at(9).state, "open", "the second window is open until day 15");
  const whole = at(15);
  assert.ok(whole.state === "closed");
  assert.deepEqual([whole.firstAt, whole.closedAt, whole.joined], [2 * DAY_MS, 15 * DAY_MS, 2]);
  const onlyFirst = [request(1, ["b"], ["x"], 0.1), request(2, ["c"], ["x"])];
  const sampled = attribute(onlyFirst, events, { ...options, maxRequests: 1, watermark: 9 * DAY_MS });
  assert.ok(sampled.state === "closed");
  assert.deepEqual([sampled.closedAt, sampled.joined, sampled.unanswered], [9 * DAY_MS, 1, 1]);
});

test("who is always active is judged on the period after the first request", () => {
  const events = Array.from({ length: 40 }, (_, index) => event(index + 1, `i${index}`, index + 1));
  const requests = events.map(({ sequence, itemId: item }) =>
    request(sequence - 1, [item], ["x"], 1 / sequence),
  );
  const joined = attribute(requests, events, { ...options, maxRequests: 3, watermark: 16 * DAY_MS });
  assert.ok(joined.state === "closed");
  // Of the first eight days' requests; those after them have smaller places, and do not count.
  assert.deepEqual([joined.firstAt, joined.joined, joined.closedAt], [DAY_MS, 3, 15 * DAY_MS]);
});

test("a request's window also closes with so many events, but a user waits for the period's end", () => {
  const events = [event(1, "a", 1), event(2, "b", 2), event(3, "c", 2.5), event(4, "d", 8.5)];
  const requests = [request(1, ["b"], ["c"]), request(2, ["d"], ["c"])];
  const counting = { ...options, windowEvents: 2, watermark: 9 * DAY_MS };
  const counted = attribute(requests, events, counting);
  assert.ok(counted.state === "closed");
  assert.deepEqual([counted.closedAt, counted.joined], [9 * DAY_MS, 2]);
  assert.equal(attribute(requests, events, { ...options, watermark: 9 * DAY_MS }).state, "open");
});
