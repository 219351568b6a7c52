import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Leave, Slots } from "../../../services/serving/slots.ts";

describe("slots", () => {
  it("leave room for others, whoever asks for all of it", () => {
    const slots = new Slots(() => 10, 0.8);
    const greedy = Array.from({ length: 10 }, () => slots.take("greedy"));
    assert.deepEqual(
      greedy.map((leave) => leave !== null),
      [true, true, true, true, true, true, true, true, false, false],
    );
    assert.ok(slots.take("other"));
    assert.ok(slots.take("other"));
    assert.equal(slots.full, true);
    assert.equal(slots.take("third"), null);
  });

  it("are shared alike by those who want all of them, though one came first and took its share", () => {
    const slots = new Slots(() => 90, 0.8);
    const held = { first: [] as Leave[], second: [] as Leave[] };
    const takeAll = (who: "first" | "second"): void => {
      for (let leave = slots.take(who); leave !== null; leave = slots.take(who)) held[who].push(leave);
    };
    takeAll("first");
    assert.equal(held.first.length, 72);
    for (let round = 0; round < 200; round++) {
      for (const who of ["first", "second"] as const) held[who].shift()?.();
      takeAll("first");
      takeAll("second");
    }
    const [first, second] = [held.first.length, held.second.length];
    // Four ninths each, but for who is asked first in each round.
    assert.ok(first >= 36 && second >= 36, `${first} and ${second}`);
  });

  it("come back once, however often they are given back", () => {
    const slots = new Slots(() => 2, 1);
    const [first, second] = [slots.take("a"), slots.take("a")];
    assert.equal(slots.full, true);
    first?.();
    first?.();
    assert.ok(slots.take("a"));
    assert.equal(slots.full, true);
    second?.();
    assert.equal(slots.full, false);
  });
});
