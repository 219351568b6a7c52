import { eventsByUser } from "../../models/data/events-by-user.ts";
import { userId } from "../../models/data/ids.ts";
import { type Mentions, mentionsInRedis } from "../../services/erasure/redis-mentions.ts";
import { readSnapshot } from "../../services/interactions/snapshot.ts";
import type { FeedbackEvent, UserHistory } from "../../services/interactions/types.ts";
import { settled, withoutUndone } from "../../services/interactions/undo.ts";
import type { JobContext } from "../context.ts";
import { streamTail } from "../data/training-data.ts";

/** Everything that is known of one user. */
export interface UserData {
  readonly userId: string;
  /** What lists are made from. */
  readonly history: UserHistory;
  /** Feedback that is not folded into the snapshot yet. */
  readonly events: readonly FeedbackEvent[];
  /** What models train on. */
  readonly snapshot: readonly {
    readonly itemId: string;
    readonly timestamp: number;
    readonly weight: number;
  }[];
  /** Rows of comparisons and interleaved lists, and requests that wait for the shadow, by where they stand. */
  readonly evidence: Mentions;
}

export async function userData(context: JobContext, user: string): Promise<UserData> {
  const id = userId(user);
  const [history, { tail }, content, evidence] = await Promise.all([
    context.events.history(id),
    streamTail(context.events),
    readSnapshot(context.stores.snapshot),
    mentionsInRedis(context.config, user),
  ]);
  const { done, undone } = settled(tail);
  const log = content === null ? undefined : withoutUndone(content.log, undone);
  const index = log?.users.indexOf(id);
  const own = log === undefined || index === undefined ? [] : eventsByUser(log, log.timestamps.length)[index];
  return {
    userId: user,
    history,
    events: done.filter((event) => event.userId === id),
    snapshot: Array.from(own, (event) => ({
      itemId: log?.items.idAt(log.itemIndex[event]) ?? "",
      timestamp: log?.timestamps[event] ?? 0,
      weight: log?.weights[event] ?? 0,
    })),
    evidence,
  };
}
