import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/eventually.ts";
import { BEARER, type Rig, startRig } from "./rig.ts";

/** Holds the event loop for most of the time until it is called. */
function holdEventLoop(): () => void {
  const timer = setInterval(() => {
    const end = performance.now() + 60;
    while (performance.now() < end);
  }, 61);
  return () => clearInterval(timer);
}

describe("an event loop that lags", () => {
  let rig: Rig;
  const statusOf = async (): Promise<number> => (await rig.http().get("/recommend?k=2")).status;

  before(async () => {
    rig = await startRig({ limits: { maxEventLoopDelayMs: 20 } });
    const version = await rig.register("popularity");
    const reason = { expectedLive: null, reason: "tests", force: true };
    await eventually(
      async () =>
        (await rig.http().post(`/models/${version}/promote`).set(BEARER).send(reason)).status !== 503,
      "promoted",
    );
    await eventually(async () => (await statusOf()) === 200, "a calm second");
  });
  after(() => rig.stop());

  it("refuses only when it stays late: the first request after a late second is answered", async () => {
    const release = holdEventLoop();
    try {
      // Nobody asks until a whole sample is late, as while a process starts.
      await eventually(() => rig.server.app.memoryUsage().eventLoopDelay > 20, "a late sample");
      assert.equal(await statusOf(), 200);
      await eventually(async () => (await statusOf()) === 503, "load is shed");
      const refused = await rig.http().get("/recommend?k=2");
      assert.equal(refused.body.error.code, "OVERLOADED");
      assert.equal(refused.headers["retry-after"], "1");
      assert.equal((await rig.http().get("/healthz")).status, 200);
    } finally {
      release();
    }
    await eventually(async () => (await statusOf()) === 200, "all is well again");
  });
});
