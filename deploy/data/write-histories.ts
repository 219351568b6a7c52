import { eventsByUser } from "../../models/data/events-by-user.ts";
import type { UserId } from "../../models/data/ids.ts";
import type { InteractionLog } from "../../models/data/interaction-log.ts";
import type { Installation } from "../../services/config.ts";
import { redisEventLog } from "../../services/interactions/event-log.ts";
import type { ImportedEntry, ImportedHistory } from "../../services/interactions/imported-histories.ts";
import { connectRedis } from "../../services/redis.ts";

/**
 * Makes the imported part of the users' histories what the log says; `gone` are users whom an import before had and this
 * one has not. Returns the entries written.
 */
export async function writeHistories(
  installation: Installation,
  log: InteractionLog,
  gone: readonly UserId[],
  importSha256: string,
  onUsers: (users: number, total: number) => void,
): Promise<number> {
  const redis = connectRedis(installation, "patient", () => {});
  const total = log.users.size + gone.length;
  try {
    return await redisEventLog(redis).replaceImported(histories(log, gone), importSha256, (users) =>
      onUsers(users, total),
    );
  } finally {
    redis.disconnect();
  }
}

function* histories(log: InteractionLog, gone: readonly UserId[]): Generator<ImportedHistory> {
  for (const [user, events] of eventsByUser(log, log.timestamps.length).entries()) {
    if (events.length > 0) yield { userId: log.users.idAt(user), entries: entriesOf(log, events) };
  }
  for (const userId of gone) yield { userId, entries: [] };
}

function* entriesOf(log: InteractionLog, events: Uint32Array): Generator<ImportedEntry> {
  for (const event of events) {
    yield {
      itemId: log.items.idAt(log.itemIndex[event]),
      timestamp: log.timestamps[event],
      weight: log.weights[event],
    };
  }
}
