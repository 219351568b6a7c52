import { Agent, request } from "node:http";
import type { InteractionLog } from "../../models/data/interaction-log.ts";

export interface ReplayOptions {
  /** Base URL of the API, e.g. http://127.0.0.1:3000. */
  readonly url: string;
  readonly log: InteractionLog;
  /** First event to play. */
  readonly from: number;
  /** Users in flight at once; one user's events never overlap (default 8). */
  readonly concurrency?: number | undefined;
  /** Events a second at most; 0 plays as fast as the API answers. */
  readonly eventsPerSecond: number;
  /**
   * Says of each film that the user had been shown which list it was chosen from, the latest that held it: as a
   * site would whose users choose from its lists (default: no feedback names a list, as in an import).
   */
  readonly listDriven?: boolean | undefined;
  readonly onProgress?: ((progress: ReplayProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ReplayProgress {
  readonly played: number;
  readonly total: number;
  /** Event time reached, epoch milliseconds. */
  readonly eventTime: number;
  /** Requests whose list held the film that the user chose next. */
  readonly hits: number;
  /** Events that named the list they were chosen from. */
  readonly listDriven: number;
  readonly failures: number;
}

const RETRIES = 5;

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
  };
  const player: Player = {
    url: options.url,
    agent,
    log,
    shown: options.listDriven ? new ShownLists() : null,
  };
  const lastOfUser = new Map<number, Promise<void>>();
  const inFlight = new Set<Promise<void>>();
  const startedAt = performance.now();

  try {
    for (let event = from; event < end; event++) {
      signal?.throwIfAborted();
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
            if (hit) progress.hits++;
            if (listDriven) progress.listDriven++;
          },
          () => {
            progress.failures++;
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
  readonly agent: Agent;
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

/** One event: ask, then tell. Returns whether the list held the film that was chosen, and whether the event said so. */
async function play(
  { url, agent, log, shown }: Player,
  event: number,
): Promise<{ hit: boolean; listDriven: boolean }> {
  const userId = log.users.idAt(log.userIndex[event]);
  const itemId = log.items.idAt(log.itemIndex[event]);
  const asking = callApi(agent, "GET", `${url}/recommend?userId=${encodeURIComponent(userId)}&k=10`);
  const list = (await asking) as List;
  shown?.add(userId, list);
  const requestId = shown?.requestIdOf(userId, itemId);
  const told = {
    eventId: `replay-${event}`,
    userId,
    itemId,
    type: "rating",
    rating: log.weights[event],
    timestamp: log.timestamps[event],
    ...(requestId === undefined ? {} : { requestId }),
  };
  // Told already by an earlier replay, the event may have named a list with another id then.
  const toldBefore = shown === null ? undefined : 409;
  await callApi(agent, "POST", `${url}/feedback`, { events: [told] }, toldBefore);
  return { hit: list.items.some((item) => item.itemId === itemId), listDriven: requestId !== undefined };
}

/** Feedback is idempotent by event id and asking changes nothing, so both may be tried again. */
async function callApi(
  agent: Agent,
  method: string,
  url: string,
  body?: unknown,
  alsoFine?: number,
): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await send(agent, method, url, body).catch((error: Error) => ({
      status: 0,
      text: error.message,
    }));
    if (outcome.status >= 200 && outcome.status < 300) return JSON.parse(outcome.text);
    if (outcome.status === alsoFine) return null;
    const mayRetry = outcome.status === 0 || outcome.status === 429 || outcome.status === 503;
    if (!mayRetry || attempt === RETRIES) {
      throw new Error(
        `${method} ${url}: expected 2xx, got ${outcome.status || "no answer"}: ${outcome.text}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** attempt));
  }
}

function send(
  agent: Agent,
  method: string,
  url: string,
  body: unknown,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers =
      payload === undefined
        ? {}
        : { "content-type": "application/json", "content-length": Buffer.byteLength(payload) };
    const outgoing = request(url, { method, agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
      );
      response.on("error", reject);
    });
    outgoing.on("error", reject);
    outgoing.end(payload);
  });
}
