import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { prepareData } from "../../deploy/data/prepare-data.ts";
import { createProducers, type JobProducers } from "../../services/queues/producers.ts";
import { eventually } from "../support/eventually.ts";
import { patiently } from "../support/patiently.ts";
import { type Running, type Service, startService } from "../support/service.ts";
import { writeSmallData } from "../support/small-data.ts";

/** How far a child has come when it is killed, by the bytes it has read: it is ready after some five million. */
const BYTES_READ = [0, 500_000, 1_500_000, 3_000_000];
const BOUND_MS = 60_000;

describe("a training process that is killed -9 before it is ready", () => {
  let service: Service;
  let worker: Running;
  let producers: JobProducers;

  before(async () => {
    service = await startService({ schedule: { judgeEverySeconds: 3600 } });
    const dataFolder = await writeSmallData(service.home, { users: 200, items: 100, events: 3000 });
    await prepareData({ ...service.config, dataFolder }, { cut: null, say: () => {} });
    worker = await service.startWorker();
    producers = createProducers(service.config, () => {});
  });
  after(async () => {
    await producers.close();
    await service.stop();
  });

  const children = async (): Promise<number[]> => {
    const { pid } = worker.process;
    const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
    return text.split(" ").filter(Boolean).map(Number);
  };
  const bytesRead = async (pid: number): Promise<number> => {
    const figures = await readFile(`/proc/${pid}/io`, "utf8").catch(() => "");
    return Number(/rchar: (\d+)/.exec(figures)?.[1] ?? 0);
  };
  const endChildren = async (): Promise<void> => {
    for (const child of await children()) process.kill(child, "SIGKILL");
    await eventually(async () => (await children()).length === 0, "no child is left");
  };

  for (const [seed, bytes] of BYTES_READ.entries()) {
    it(`after ${bytes} bytes of its modules has failed at once, and its job is run again`, {
      timeout: 2 * BOUND_MS,
    }, async () => {
      // A child that waits for work would be used again.
      await endChildren();
      const order = { phase: 1, recipe: "popular-lately", seed, requestedBy: "tests" } as const;
      const jobId = await patiently(() => producers.addRetrain(order, 0));
      await eventually(async () => (await children()).length === 1, "a child is started");
      const [child] = await children();
      await eventually(async () => (await bytesRead(child)) >= bytes, "it has come so far");
      process.kill(child, "SIGKILL");
      await eventually(
        async () => (await patiently(() => producers.job(jobId)))?.state === "completed",
        "the job is run again and completed",
        BOUND_MS,
      );
      assert.equal((await patiently(() => producers.job(jobId)))?.attempts, 2);
      assert.equal(worker.process.exitCode, null, "the worker lives on");
    });
  }
});
