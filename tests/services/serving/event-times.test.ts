import assert from "node:assert/strict";
import { test } from "node:test";
import { eventTime } from "../../../services/serving/event-times.ts";

const NOW = Date.UTC(2026, 0, 1);
const at = (given: number | string | undefined): number | undefined => eventTime(given, NOW, "timestamp");

test("times are epoch milliseconds or ISO 8601, which is UTC without an offset", () => {
  assert.equal(at(undefined), undefined);
  assert.equal(at(1_700_000_000_000), 1_700_000_000_000);
  const spring = Date.UTC(2024, 4, 1, 8);
  for (const text of [
    "2024-05-01T08:00:00Z",
    "2024-05-01T10:00:00+02:00",
    "2024-05-01 08:00:00",
    "2024-05-01T08:00",
  ]) {
    assert.equal(at(text), spring, text);
  }
  assert.equal(at("2024-05-01"), Date.UTC(2024, 4, 1));
});

test("a place in an order without times passes", () => assert.equal(at(17), 17));

test("other units, the future, and what no service has seen are refused with a hint", () => {
  assert.throws(
    () => at(1_700_000_000),
    /timestamp: expected epoch milliseconds, got 1700000000; it looks like seconds: send 1700000000000/,
  );
  assert.throws(() => at(1_700_000_000_000_000), /microseconds: divide by 1000/);
  assert.throws(() => at(NOW + 10 * 60_000), /5 minutes ahead.*is it in milliseconds/);
  assert.throws(() => at(Date.UTC(1975, 0, 1)), /after 1980/);
  assert.throws(() => at("1815-12-10"), /after 1980/);
  assert.throws(() => at("2024-02-31T00:00:00Z"), /a time that exists/);
  assert.throws(() => at("2027-01-01"), /a time that has come/);
});
