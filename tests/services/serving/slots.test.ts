import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Slots } from "../../../services/serving/slots.ts";

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
