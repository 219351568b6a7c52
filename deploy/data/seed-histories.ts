import type { InteractionLog } from "../../models/data/interaction-log.ts";
import type { Installation } from "../../services/config.ts";
import { redisEventLog } from "../../services/interactions/event-log.ts";
import type { FeedbackEvent } from "../../services/interactions/types.ts";
import { connectRedis } from "../../services/redis.ts";

/** Events handed to Redis in one batch. */
const BATCH = 5000;

/** Fills the users' histories with what they did before; returns the number of events. */
export async function seedHistories(
  installation: Installation,
  past: InteractionLog,
  snapshotSha256: string,
): Promise<number> {
  const redis = connectRedis(installation, "patient", () => {});
  try {
    return await redisEventLog(redis).seed(batches(past), snapshotSha256);
  } finally {
    redis.disconnect();
  }
}

function* batches(log: InteractionLog): Generator<FeedbackEvent[]> {
  for (let from = 0; from < log.timestamps.length; from += BATCH) {
    const batch: FeedbackEvent[] = [];
    for (let event = from; event < Math.min(from + BATCH, log.timestamps.length); event++) {
      batch.push({
        eventId: `import-${event}`,
        userId: log.users.idAt(log.userIndex[event]),
        itemId: log.items.idAt(log.itemIndex[event]),
        type: "rating",
        rating: log.weights[event],
        timestamp: log.timestamps[event],
      });
    }
    yield batch;
  }
}
