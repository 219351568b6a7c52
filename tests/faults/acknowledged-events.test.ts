import assert from "node:assert/strict";
import { test } from "node:test";
import { killedAppending } from "../support/killed-appending.ts";

/** `npm run bench:durability` is the long run: 50,000 events, 85 kills, with `everysec` too, which may lose a second. */
const EVENTS = 1000;
const KILLS = 4;

test("Redis killed -9 while events are sent loses no acknowledged one, where each write is flushed (appendfsync always)", async () => {
  const { acknowledged, lost } = await killedAppending("always", EVENTS, KILLS);
  assert.deepEqual({ acknowledged, lost }, { acknowledged: EVENTS, lost: 0 });
});
