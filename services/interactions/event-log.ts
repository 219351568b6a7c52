import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { MS_PER_DAY } from "../../models/data/day.ts";
import type { UserId } from "../../models/data/ids.ts";
import { PhasewiseError } from "../errors.ts";
import { luaScript } from "../lua-script.ts";
import { fromStore, toStore } from "../store-errors.ts";
import { APPEND_LUA } from "./append.lua.ts";
import { erasedAmong, forgetUser } from "./erased-users.ts";
import { RECORDED_AGE_MS, RECORDED_KEPT, readEventClocks } from "./event-clocks.ts";
import { entryText, historyOf } from "./history-entry.ts";
import { replaceImported } from "./imported-histories.ts";
import {
  CHANGED,
  ERASED,
  eventKey,
  historyKey,
  LIVE_CLOCK,
  RECORDED_TIMES,
  STREAM,
  seenKey,
  takenKey,
  userDigest,
} from "./keys.ts";
import type { EventLog, FeedbackEvent, UserHistory } from "./types.ts";
import { knownEvent, undo } from "./undo.ts";

export interface EventLogOptions {
  /** How long an event id is remembered: within it a repeat has no second effect (default 7 days). */
  readonly windowMs?: number | undefined;
  /** Entries kept of one user's history, the latest (default 2,000). */
  readonly longestHistory?: number | undefined;
  /** Events taken from one user within a day (default 5,000): one user must not fill Redis. */
  readonly eventsPerUserAndDay?: number | undefined;
}

const DEFAULT_WINDOW_MS = 7 * MS_PER_DAY;
const DEFAULT_LONGEST_HISTORY = 2_000;
const DEFAULT_EVENTS_PER_USER_AND_DAY = 5_000;

/**
 * 64 bits of SHA-256 over what the client sent, as 16 characters: enough to tell a retry from another event under the same
 * id.
 */
function bodyHash(event: FeedbackEvent): string {
  const { userId, itemId, type, rating, timestamp, requestId } = event;
  const body = [userId, itemId, type, rating ?? null, timestamp ?? null, requestId ?? null];
  return createHash("sha256").update(JSON.stringify(body)).digest("hex").slice(0, 16);
}

/** Of a pipeline's replies those two, at `at` and after it, that tell of one user. */
async function historyIn(replies: readonly [Error | null, unknown][], at: number): Promise<UserHistory> {
  const [[noEntries, lines], [notSeen, seen]] = replies.slice(at, at + 2);
  const failed = noEntries ?? notSeen;
  if (failed !== null) await fromStore("read history", Promise.reject(failed));
  return historyOf(lines as string[], seen as Uint8Array | null);
}

export function redisEventLog(redis: Redis, options: EventLogOptions = {}): EventLog {
  const windowMs = options.windowMs ?? DEFAULT_WINDOW_MS;
  const longestHistory = options.longestHistory ?? DEFAULT_LONGEST_HISTORY;
  const eventsPerUserAndDay = options.eventsPerUserAndDay ?? DEFAULT_EVENTS_PER_USER_AND_DAY;
  const runAppend = luaScript(redis, APPEND_LUA);

  return {
    async append(events, now) {
      if (events.length === 0) return { accepted: 0, duplicates: 0 };
      const keys = [STREAM, LIVE_CLOCK, RECORDED_TIMES, ERASED, CHANGED];
      const args: (string | number)[] = [
        windowMs,
        longestHistory,
        RECORDED_AGE_MS,
        RECORDED_KEPT,
        eventsPerUserAndDay,
      ];
      for (const event of events) {
        const timestamp = event.timestamp ?? now;
        const { eventId, userId: user } = event;
        keys.push(eventKey(eventId), historyKey(user), seenKey(user), takenKey(user));
        args.push(
          knownEvent(bodyHash(event), event, timestamp),
          JSON.stringify({ ...event, timestamp }),
          entryText(event, timestamp),
          timestamp,
          userDigest(user),
        );
      }
      const reply = (await toStore("append events", runAppend(keys, args))) as number[];
      const [accepted, duplicates, refused, more] = reply;
      if (refused === 0) return more > 0 ? { accepted, duplicates, erased: more } : { accepted, duplicates };
      const { eventId, userId: user } = events[Math.abs(refused) - 1];
      if (refused < 0) {
        const retryAfterSeconds = Math.max(1, more);
        throw new PhasewiseError(
          "RATE_LIMITED",
          `feedback: expected at most ${eventsPerUserAndDay} events of one user within a day, got more of "${user}"; nothing of the batch was stored, send it again in ${retryAfterSeconds} s, or import it`,
          { userId: user, retryAfterSeconds },
        );
      }
      throw new PhasewiseError(
        "EVENT_ID_REUSED",
        `feedback: expected a new event id, got "${eventId}" again with another body; nothing of the batch was stored, send it with an id of its own`,
        { eventId },
      );
    },

    async history(user) {
      const read = redis.pipeline().lrange(historyKey(user), 0, -1).getBuffer(seenKey(user)).exec();
      const replies = (await fromStore("read history", read)) ?? [];
      return await historyIn(replies, 0);
    },

    forget: (user, at) => forgetUser(redis, user, at),

    erased: (users) => erasedAmong(redis, users),

    undo: (user, eventId) => undo(redis, user, eventId),

    async histories(users) {
      const pipeline = redis.pipeline();
      for (const user of users) pipeline.lrange(historyKey(user), 0, -1).getBuffer(seenKey(user));
      const replies = (await fromStore("read histories", pipeline.exec())) ?? [];
      const byUser = new Map<UserId, UserHistory>();
      for (const [position, user] of users.entries())
        byUser.set(user, await historyIn(replies, 2 * position));
      return byUser;
    },

    replaceImported: (users, importSha256, onUsers) =>
      replaceImported(redis, longestHistory, users, importSha256, onUsers),

    clocks: () => readEventClocks(redis),

    async read(afterId, count) {
      const entries = await fromStore(
        "read events",
        redis.xrange(STREAM, `(${afterId}`, "+", "COUNT", count),
      );
      return entries.map(([id, fields]) => ({ id, event: JSON.parse(fields[1]) as FeedbackEvent }));
    },

    async trim(throughId) {
      const [milliseconds, sequence] = throughId.split("-");
      const firstKept = `${milliseconds}-${BigInt(sequence ?? "0") + 1n}`;
      return toStore("trim events", redis.xtrim(STREAM, "MINID", firstKept));
    },

    async length() {
      return fromStore("count events", redis.xlen(STREAM));
    },
  };
}
