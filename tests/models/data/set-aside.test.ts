import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BURST_MS, largestBurst } from "../../../models/data/burst.ts";
import { withoutSuspects } from "../../../models/data/set-aside.ts";
import { type Event, logOf } from "../../support/interaction-logs.ts";

const DAY_MS = 86_400_000;
const LIMITS = {
  userEvents: 100,
  largestUserShare: 0.05,
  holdoutShare: 0.2,
  largestSourceShare: 0.25,
  minimumUsers: 30,
};

/** So many users, a new one every seven hours, with ten events each, an hour apart. */
function ordinary(users: number): Event[] {
  return Array.from({ length: 10 * users }, (_, event) => ({
    user: `u${Math.floor(event / 10)}`,
    item: `i${event % 37}`,
    at: 1 + Math.floor(event / 10) * 7 * BURST_MS + (event % 10) * BURST_MS,
  }));
}

function usersOf(events: readonly Event[], limits = LIMITS) {
  const { log, setAside } = withoutSuspects(logOf(events), limits);
  const users = new Set(Array.from(log.userIndex, (user) => String(log.users.idAt(user))));
  return { users, events: log.timestamps.length, setAside };
}

describe("who is set aside before a training", () => {
  it("is nobody in ordinary data: the very same log comes back", () => {
    const log = logOf(ordinary(200));
    assert.deepEqual(withoutSuspects(log, LIMITS), { log, setAside: null });
    assert.equal(withoutSuspects(log, LIMITS).log, log);
  });

  it("is a user with most of the events, and not an active one among few", () => {
    const flood = Array.from({ length: 3000 }, (_, n) => ({ user: "flood", item: `x${n}`, at: 1e9 + n }));
    const { users, events, setAside } = usersOf([...ordinary(200), ...flood]);
    assert.deepEqual([users.size, users.has("flood"), events], [200, false, 2000]);
    assert.deepEqual(setAside, {
      floods: { users: 1, events: 3000 },
      bursts: { users: 0, events: 0 },
      overflow: { users: 0, events: 0 },
    });
    const few = [...ordinary(4), ...flood.slice(0, 60)];
    assert.equal(usersOf(few).setAside, null, "60 of 100 events, in a log of five users");
  });

  it("are many who all appear within one hour among those who are judged by", () => {
    const end = 200 * 7 * BURST_MS;
    const invented = (size: number) =>
      Array.from({ length: size * 3 }, (_, n) => ({
        user: `new${n % size}`,
        item: `i${n % 5}`,
        at: end + n * 1000,
      }));
    const { users, setAside } = usersOf([...ordinary(200), ...invented(150)]);
    assert.deepEqual([users.size, setAside?.bursts], [200, { users: 150, events: 450 }]);
    assert.equal(usersOf([...ordinary(200), ...invented(7)]).setAside, null, "a few newcomers are welcome");
  });

  it("is nobody where the times tell no hours, or everybody came at once", () => {
    const sameDay = ordinary(100).map((event) => ({
      ...event,
      at: DAY_MS * Math.ceil(event.at / (20 * DAY_MS)),
    }));
    assert.equal(usersOf(sameDay).setAside, null);
    assert.equal(usersOf(ordinary(100).map((event, n) => ({ ...event, at: n }))).setAside, null);
  });

  it("of a user with more events than are learned from, the latest stay", () => {
    const busy = Array.from({ length: 90 }, (_, n) => ({ user: "busy", item: `b${n}`, at: 5 * n }));
    const { log, setAside } = withoutSuspects(logOf([...ordinary(200), ...busy]), {
      ...LIMITS,
      userEvents: 40,
    });
    assert.deepEqual(setAside?.overflow, { users: 1, events: 50 });
    const items = Array.from(log.itemIndex, (item) => String(log.items.idAt(item)));
    assert.deepEqual(
      items.filter((item) => item.startsWith("b")),
      busy.slice(50).map(({ item }) => item),
    );
  });
});

it("a burst is the most times within one hour of each other, the ends included", () => {
  assert.deepEqual(
    largestBurst([5, 9 * BURST_MS, 5 + BURST_MS, 6 + BURST_MS, 6]),
    [0, 4, 2],
    "the earlier of two",
  );
  assert.deepEqual(largestBurst([0, 0, 0, 7, 9]), [3, 4], "whole days tell nothing of hours");
  assert.deepEqual(largestBurst([7]), [0]);
  assert.deepEqual(largestBurst([]), []);
});
