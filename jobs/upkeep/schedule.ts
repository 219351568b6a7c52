import { Queue } from "bullmq";
import type { Policy } from "../../models/gate/policy.ts";
import type { Installation } from "../../services/config.ts";
import { QUEUES, type UpkeepPayload } from "../../services/queues/types.ts";
import { queueOptions } from "../../services/redis.ts";

/** Finished upkeep is of no interest; failures are kept for a day. */
const RETENTION = { removeOnComplete: { count: 20 }, removeOnFail: { age: 86_400, count: 200 } };

/** Looks at the shadow every few seconds; compacts the event stream, looks for drift and retrains every few hours. */
export async function scheduleUpkeep(
  installation: Installation,
  policy: Policy,
): Promise<{ close(): Promise<void> }> {
  const queue = new Queue<UpkeepPayload>(QUEUES.upkeep, queueOptions(installation));
  queue.on("error", () => {});
  // One at a time, however many workers there are: two judges at once would record the same finding twice.
  await queue.setGlobalConcurrency(1);
  await queue.upsertJobScheduler(
    "judge",
    { every: policy.schedule.judgeEverySeconds * 1000 },
    { name: "judge", data: { kind: "judge", record: false }, opts: RETENTION },
  );
  await queue.upsertJobScheduler(
    "compact",
    { every: policy.schedule.compactEveryHours * 3_600_000 },
    { name: "compact", data: { kind: "compact" }, opts: RETENTION },
  );
  await queue.upsertJobScheduler(
    "drift",
    { every: policy.schedule.driftEveryHours * 3_600_000 },
    { name: "drift", data: { kind: "drift" }, opts: RETENTION },
  );
  await queue.upsertJobScheduler(
    "refresh",
    { every: policy.schedule.retrainEveryHours * 3_600_000 },
    { name: "refresh", data: { kind: "refresh" }, opts: RETENTION },
  );
  return { close: () => queue.close() };
}
