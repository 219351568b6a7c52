import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { type ChildPool, type Job, Queue } from "bullmq";
import { ChildWorker } from "../../jobs/child-worker.ts";
import { type PrivateRedis, startRedis } from "../support/redis.ts";

const PROCESSOR = new URL("../support/one-processor.js", import.meta.url);

interface Doubling {
  readonly value: number;
}

/** Loses its child, once, between its being ready and its being told to start. */
class UnluckyWorker extends ChildWorker<Doubling> {
  protected override createSandbox(processor: string): void {
    super.createSandbox(processor);
    const { childPool } = this as unknown as { childPool: ChildPool };
    const retain = childPool.retain;
    childPool.retain = async (file) => {
      childPool.retain = retain;
      const child = await retain(file);
      process.kill(child.pid, "SIGKILL");
      // Gone, and not yet known to be: the event loop must not turn before the child is spoken to.
      while (!/^State:\s+Z/m.test(readFileSync(`/proc/${child.pid}/status`, "utf8")));
      return child;
    };
  }
}

describe("a worker with child processes", () => {
  let redis: PrivateRedis;
  let queue: Queue<Doubling>;
  let worker: UnluckyWorker;
  before(async () => {
    redis = await startRedis();
    const connection = { url: redis.url };
    queue = new Queue<Doubling>("doubling", { connection });
    worker = new UnluckyWorker("doubling", PROCESSOR, { connection });
  });
  after(async () => {
    await worker.close(true);
    await queue.close();
    await redis.stop();
  });

  it("fails the job of a child that has died when it is told to start, and goes on", {
    timeout: 60_000,
  }, async () => {
    const failed = once(worker, "failed");
    const completed = once(worker, "completed");
    await queue.add("double", { value: 21 }, { attempts: 2 });
    const [, error] = (await failed) as [Job, Error];
    assert.match(error.message, /Unexpected exit code: null signal: SIGKILL/);
    const [, result] = (await completed) as [Job, number];
    assert.equal(result, 42);
  });
});
