import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
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

it("work that is due by the time of the events is done between them, once where nothing happened for long", async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.method ?? "");
    request.resume();
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ requestId: "r", items: [] }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const log = smallLog();
  const end = log.timestamps.length;
  const [first, last] = [log.timestamps[0], log.timestamps[end - 1]];
  const everyMs = (last - first) / 2.5;
  const played: number[] = [];
  try {
    const work = async (): Promise<void> => void played.push(asked.length / 2);
    const url = `http://127.0.0.1:${port}`;
    const done = await replay({
      url,
      key: "k",
      log,
      from: 0,
      eventsPerSecond: 0,
      schedule: { everyMs, work },
    });
    assert.deepEqual([done.played, done.failures], [end, 0]);
  } finally {
    server.close();
    server.closeAllConnections();
  }
  const due = [1, 2].map((times) => log.timestamps.findIndex((at) => at >= first + times * everyMs));
  assert.deepEqual(played, [...new Set(due)], "all that came before is done, and nothing that comes after");
});
