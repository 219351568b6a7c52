import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import { processorWait } from "../../../jobs/shadow/processor-wait.ts";
import { eventually } from "../../support/eventually.ts";

describe("the time for which a thread waits for a processor", () => {
  it("grows while more threads compute than there are processors", {
    skip: process.platform === "linux" ? false : "only Linux says so",
  }, async () => {
    const waitedMs = processorWait();
    const before = waitedMs();
    assert.ok(Number.isFinite(before) && before >= 0);
    const busy = Array.from(
      { length: 2 * availableParallelism() },
      () => new Worker("for (;;);", { eval: true }),
    );
    try {
      await eventually(async () => {
        for (let n = 0; n < 1e6; n++) Math.sqrt(n);
        return waitedMs() > before + 1;
      }, "this thread had to wait");
    } finally {
      await Promise.all(busy.map((thread) => thread.terminate()));
    }
  });
});
