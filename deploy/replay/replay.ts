import { Agent } from "node:http";
import type { InteractionLog } from "../../models/data/interaction-log.ts";
import { type Caller, callApi } from "./call-api.ts";

export interface ReplayOptions {
  /** Base URL of the API, e.g. http://127.0.0.1:3000. */
  readonly url: string;
  /** A key that may serve and ingest: what comes without one is no evidence. */
  readonly key: string;
  readonly log: InteractionLog;
  /** First event to play. */
  readonly from: number;
  /** Users in flight at once; one user's events never overlap (default 8). */
  readonly concurrency?: number | undefined;
  /** Events a second at most; 0 plays as fast as the API answers. */
  readonly eventsPerSecond: number;
  /**
   * Feedback names the list that an item was chosen from, the latest that held it: as on a site whose users choose
   * from its lists (default: no feedback names a list, as in an import).
   */
  readonly listDriven?: boolean | undefined;
  readonly onProgress?: ((progress: ReplayProgress) => void) | undefined;
  /** Work that is due so often by the time of the events; the replay waits for it, since it takes no time in theirs. */
  readonly schedule?: { readonly everyMs: number; readonly work: () => Promise<void> } | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ReplayProgress {
  readonly played: number;
  readonly total: number;
  /** Event time reached, epoch milliseconds. */
  readonly eventTime: number;
  /** Requests whose list held the item that the user chose next. */
  readonly hits: number;
  /** Events that named the list they were chosen from. */
  readonly listDriven: number;
  readonly failures: number;
  /** Why it ended early, when so many events in a row were not taken; null when it played them all. */
  readonly gaveUp: string | null;
}

/** The service takes nothing any more: to go on would only take long. */
const FAILURES_IN_A_ROW = 40;

/**
 * Plays recorded events as live traffic: before each event its user asks `/recommend`, then the event is sent
 * to `/feedback`. Order is kept where it matters: per user strictly, overall within the width of the window.
 * Event ids are positions in the log, so a replay that was interrupted can be played again from anywhere.
 */
export async function replay(options: ReplayOptions): Promise<ReplayProgress> {
  const { log, from, signal } = options;
  const concurrency = options.concurrency ?? 8;
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const end = log.timestamps.length;
  const progress = {
    played: 0,
    total: end - from,
    eventTime: log.timestamps[from] ?? 0,
    hits: 0,
    listDriven: 0,
    failures: 0,
    gaveUp: null as string | null,
  };
  let failedInARow = 0;
  const player: Player = {
    url: options.url,
    caller: { agent, key: options.key },
    log,
    shown: options.listDriven ? new ShownLists() : null,
  };
  const lastOfUser = new Map<number, Promise<void>>();
  const inFlight = new Set<Promise<void>>();
  const startedAt = performance.now();
  const { schedule } = options;
  let dueAt = progress.eventTime + (schedule?.everyMs ?? Number.POSITIVE_INFINITY);

  try {
    for (let event = from; event < end; event++) {
      signal?.throwIfAborted();
      if (progress.gaveUp !== null) break;
      if (schedule !== undefined && log.timestamps[event] >= dueAt) {
        await Promise.all(inFlight);
        await schedule.work();
        // Where nothing happened for long, what was due meanwhile is done once.
        while (dueAt <= log.timestamps[event]) dueAt += schedule.everyMs;
      }
      if (options.eventsPerSecond > 0) {
        const dueMs = startedAt + ((event - from) / options.eventsPerSecond) * 1000;
        const waitMs = dueMs - performance.now();
        if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
      const user = log.userIndex[event];
      const before = lastOfUser.get(user) ?? Promise.resolve();
      const playing: Promise<void> = before
        .then(() => play(player, event))
        .then(
          ({ hit, listDriven }) => {
            failedInARow = 0;
            if (hit) progress.hits++;
            if (listDriven) progress.listDriven++;
          },
          (error: Error) => {
            progress.failures++;
            if (++failedInARow === FAILURES_IN_A_ROW) progress.gaveUp = error.message;
          },
        )
        .then(() => {
          inFlight.delete(playing);
          if (lastOfUser.get(user) === playing) lastOfUser.delete(user);
          progress.played++;
          progress.eventTime = log.timestamps[event];
          options.onProgress?.(progress);
        });
      lastOfUser.set(user, playing);
      inFlight.add(playing);
      if (inFlight.size >= concurrency) await Promise.race(inFlight);
    }
    await Promise.all(inFlight);
  } finally {
    agent.destroy();
  }
  return progress;
}

interface Player {
  readonly url: string;
  readonly caller: Caller;
  readonly log: InteractionLog;
  readonly shown: ShownLists | null;
}

interface List {
  readonly requestId: string;
  readonly items: readonly { readonly itemId: string }[];
}

/** The latest list on which each user saw each item. */
class ShownLists {
  readonly #requestIds = new Map<string, Map<string, string>>();

  add(userId: string, { requestId, items }: List): void {
    const own = this.#requestIds.get(userId) ?? new Map<string, string>();
    for (const { itemId } of items) own.set(itemId, requestId);
    this.#requestIds.set(userId, own);
  }

  requestIdOf(userId: string, itemId: string): string | undefined {
    return this.#requestIds.get(userId)?.get(itemId);
  }
}

/** Asks for a list, then sends the event. Returns whether the list held its item, and whether it names a list. */
async function play(
  { url, caller, log, shown }: Player,
  event: number,
): Promise<{ hit: boolean; listDriven: boolean }> {
  const userId = log.users.idAt(log.userIndex[event]);
  const itemId = log.items.idAt(log.itemIndex[event]);
  const asking = callApi(caller, "GET", `${url}/recommend?userId=${encodeURIComponent(userId)}&k=10`);
  const list = (await asking) as List;
  shown?.add(userId, list);
  const requestId = shown?.requestIdOf(userId, itemId);
  const feedback = {
    eventId: `replay-${event}`,
    userId,
    itemId,
    ...meaningOf(log.weights[event]),
    timestamp: log.timestamps[event],
    ...(requestId === undefined ? {} : { requestId }),
  };
  // An earlier replay may have sent the event already, with another list: a conflict that changes nothing.
  const sentBefore = shown === null ? undefined : 409;
  await callApi(caller, "POST", `${url}/feedback`, { events: [feedback] }, sentBefore);
  return { hit: list.items.some((item) => item.itemId === itemId), listDriven: requestId !== undefined };
}

/** What a log keeps as a strength is sent as one: whatever was imported may be replayed, and counts the same. */
function meaningOf(weight: number): { readonly type: string; readonly weight: number } {
  const type = weight === 1 ? "watch" : weight > 0 ? "rating" : weight < 0 ? "dislike" : "impression";
  return { type, weight };
}
