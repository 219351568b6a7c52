import assert from "node:assert/strict";
import { it } from "node:test";
import { freePort } from "../../../deploy/processes/free-port.ts";
import { replay } from "../../../deploy/replay/replay.ts";
import { smallLog } from "../../services/serving/small-world.ts";

it("a replay that nobody takes ends early and says why", async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const log = smallLog();
  const done = await replay({ url, key: "none", log, from: 0, eventsPerSecond: 0 });
  assert.ok(done.played < log.timestamps.length, `${done.played}`);
  assert.equal(done.failures, done.played);
  assert.match(done.gaveUp ?? "", /expected 2xx, got no answer/);
});
