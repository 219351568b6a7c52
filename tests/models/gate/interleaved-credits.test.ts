import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { itemId } from "../../../models/data/ids.ts";
import {
  type AnsweringEvent,
  interleavedCredits,
  type ServedDraft,
} from "../../../models/gate/interleaved-credits.ts";

/** "ac bb": item a from the challenger, then item b from the baseline. */
function draft(requestId: string, historyThrough: number, spelled: string): ServedDraft {
  const items = spelled.split(" ").map(([item, team]) => ({
    itemId: itemId(item),
    team: team === "c" ? ("challenger" as const) : ("baseline" as const),
  }));
  return { requestId, historyThrough, items };
}

function event(sequence: number, item: string, timestamp: number, requestId: string | null): AnsweringEvent {
  return { sequence, itemId: itemId(item), timestamp, requestId };
}

const closed = { windowMs: 100, windowEvents: 0, watermark: 10_000 };

describe("interleaved credits", () => {
  const lists = [draft("r1", 2, "ac bb cc"), draft("r2", 4, "db ec")];

  it("credit the team that gave what the user chose, over all of the user's lists", () => {
    const events = [
      event(3, "a", 1000, "r1"),
      event(4, "b", 1010, "r1"),
      event(5, "c", 1020, "r1"),
      event(6, "d", 1030, "r2"),
    ];
    assert.deepEqual(interleavedCredits(lists, events, closed), {
      closedAt: 1100,
      challenger: 2,
      baseline: 2,
      historyLength: 2,
    });
  });

  it("count an item of a list once, however often the user comes back to it", () => {
    const events = [3, 4, 5].map((sequence) => event(sequence, "a", 1000 + sequence, "r1"));
    assert.equal(interleavedCredits(lists, events, closed)?.challenger, 1);
  });

  it("leave out what names no list, another list, or an item that the list did not hold", () => {
    const events = [
      event(3, "a", 1000, null),
      event(4, "a", 1000, "r9"),
      event(5, "d", 1000, "r1"),
      event(6, "z", 1000, "r2"),
    ];
    const credits = interleavedCredits(lists, events, closed);
    assert.deepEqual([credits?.challenger, credits?.baseline], [0, 0]);
  });

  it("leave out what came before the list, or after the window", () => {
    const events = [
      event(2, "a", 990, "r1"),
      event(3, "b", 1000, "r1"),
      event(4, "e", 1001, "r2"),
      event(5, "c", 1101, "r1"),
      event(6, "d", 1100, "r2"),
    ];
    const credits = interleavedCredits(lists, events, closed);
    assert.deepEqual([credits?.challenger, credits?.baseline], [0, 2]);
  });

  it("wait until the window has closed in event time", () => {
    const events = [event(1, "y", 500, null), event(3, "a", 1000, "r1")];
    assert.equal(interleavedCredits(lists, events, { ...closed, watermark: 1099 }), null);
    assert.notEqual(interleavedCredits(lists, events, { ...closed, watermark: 1100 }), null);
    assert.equal(
      interleavedCredits(lists, events.slice(0, 1), closed),
      null,
      "no event since the first list",
    );
    assert.equal(interleavedCredits([], events, closed), null);
  });

  it("close with so many events, and count none that arrives later", () => {
    const events = [
      event(3, "a", 1000, "r1"),
      event(4, "b", 1010, "r1"),
      event(5, "d", 1020, "r2"),
      event(6, "e", 1015, "r2"),
    ];
    const counting = { ...closed, windowEvents: 3, watermark: 1020 };
    assert.equal(interleavedCredits(lists, events.slice(0, 2), counting), null);
    assert.deepEqual(interleavedCredits(lists, events, counting), {
      closedAt: 1020,
      challenger: 1,
      baseline: 2,
      historyLength: 2,
    });
  });
});
