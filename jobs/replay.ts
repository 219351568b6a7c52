import { Agent, request } from "node:http";
import type { InteractionLog } from "../models/data/interaction-log.ts";

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
    failures: 0,
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
        .then(() => play(options.url, agent, log, event))
        .then(
          (hit) => {
            if (hit) progress.hits++;
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

/** One event: ask, then tell. Returns whether the list held the film that was chosen. */
async function play(url: string, agent: Agent, log: InteractionLog, event: number): Promise<boolean> {
  const userId = log.users.idAt(log.userIndex[event]);
  const itemId = log.items.idAt(log.itemIndex[event]);
  const recommended = await callApi(
    agent,
    "GET",
    `${url}/recommend?userId=${encodeURIComponent(userId)}&k=10`,
  );
  const timestamp = log.timestamps[event];
  const feedback = {
    events: [
      { eventId: `replay-${event}`, userId, itemId, type: "rating", rating: log.weights[event], timestamp },
    ],
  };
  await callApi(agent, "POST", `${url}/feedback`, feedback);
  const { items } = recommended as { items: readonly { itemId: string }[] };
  return items.some((item) => item.itemId === itemId);
}

/** Feedback is idempotent by event id and asking changes nothing, so both may be tried again. */
async function callApi(agent: Agent, method: string, url: string, body?: unknown): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await send(agent, method, url, body).catch((error: Error) => ({
      status: 0,
      text: error.message,
    }));
    if (outcome.status >= 200 && outcome.status < 300) return JSON.parse(outcome.text);
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
