import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { endsWithin, retry } from "../../services/waiting.ts";

/** An answer outside 2xx, with the service's own words. */
export class ApiError extends Error {
  readonly status: number;
  readonly body: unknown;
  /** When the service asks to come back, milliseconds. */
  readonly retryAfterMs: number;

  constructor(status: number, message: string, body: unknown, retryAfterMs = 0) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.body = body;
    this.retryAfterMs = retryAfterMs;
  }
}

export interface ApiClient {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  put<T>(path: string, body: unknown): Promise<T>;
  delete<T>(path: string): Promise<T>;
}

/** Nothing answers at this address, or the service there cannot reach its Redis. */
export class Unreachable extends ApiError {}

export interface ApiClientOptions {
  /** How long a call is tried again while the service, or its Redis, does not answer (default: 15 s). */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 15_000;

/**
 * Talks to a running Phasewise. Operator routes get the key from the environment or the state folder. A call may take as
 * long as it needs while the service shows that it lives.
 */
export function apiClient(url: string, adminKey: string | null, options: ApiClientOptions = {}): ApiClient {
  const patienceMs = options.patienceMs ?? PATIENCE_MS;
  const send = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const headers: Record<string, string> = { accept: "application/json" };
    if (adminKey !== null) headers.authorization = `Bearer ${adminKey}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const { response, text } = await answered(url, path, init, patienceMs).catch((error: Error) => {
      const reason = String(error.cause ?? error);
      const words = `${url}: no Phasewise answers there (${reason}); start one with npm start`;
      throw new Unreachable(0, words, null);
    });
    const parsed: unknown = text === "" ? null : parseJson(text);
    if (!response.ok) {
      const error = (parsed as { error?: { message?: string; code?: string } } | null)?.error;
      const message = error?.message ?? `${method} ${path}: HTTP ${response.status}`;
      const seconds = Number(response.headers.get("retry-after") ?? 1);
      if (error?.code === "STORE_UNAVAILABLE") {
        throw new Unreachable(response.status, `${url}: ${message}`, parsed, seconds * 1000);
      }
      throw new ApiError(response.status, message, parsed, seconds * 1000);
    }
    return parsed as T;
  };
  const call = <T>(method: string, path: string, body?: unknown) => {
    const begun = performance.now();
    // The next call may take as long as all before it together.
    const pauseMs = (attempt: number, error: unknown): number | null => {
      const next = busyPauseMs(attempt, error);
      return next !== null && 2 * (performance.now() - begun) + next < patienceMs ? next : null;
    };
    return retry(() => send<T>(method, path, body), pauseMs);
  };
  return {
    get: (path) => call("GET", path),
    post: (path, body) => call("POST", path, body),
    put: (path, body) => call("PUT", path, body),
    delete: (path) => call("DELETE", path),
  };
}

const ATTEMPTS = 5;
const LONGEST_PAUSE_MS = 5000;

/** A busy service says so with 503 or 429 before it has done anything: asking again is safe. */
function busyPauseMs(attempt: number, error: unknown): number | null {
  const busy = error instanceof ApiError && (error.status === 503 || error.status === 429);
  return busy && attempt < ATTEMPTS ? Math.min(error.retryAfterMs, LONGEST_PAUSE_MS) : null;
}

/** Longest that a service may take to say that it lives, milliseconds. */
const SIGN_OF_LIFE_MS = 1_500;

/** A path of the service, behind whatever prefix its URL has. */
const at = (url: string, path: string): string => url.replace(/\/+$/, "") + path;

/** An answer may take its time, as long as the service shows that it lives: it is asked now and then beside the call. */
async function answered(
  url: string,
  path: string,
  init: RequestInit,
  patienceMs: number,
): Promise<{ readonly response: Response; readonly text: string }> {
  const given = new AbortController();
  const asking = fetch(at(url, path), { ...init, signal: given.signal }).then(async (response) => ({
    response,
    text: await response.text(),
  }));
  const everyMs = Math.max(patienceMs - SIGN_OF_LIFE_MS, SIGN_OF_LIFE_MS);
  while (!(await endsWithin(everyMs, asking))) {
    const health = fetch(at(url, "/healthz"), { signal: AbortSignal.timeout(SIGN_OF_LIFE_MS) });
    await health.then(
      (response) => response.arrayBuffer(),
      () => given.abort(new Error(`no answer within ${patienceMs / 1000} s`)),
    );
  }
  return asking;
}

/** The operator's key: as given, or the one that the service made and keeps in its state folder. */
export async function findAdminKey(given: string | null, stateFolder: string): Promise<string | null> {
  if (given !== null) return given;
  return readFile(join(stateFolder, "admin-key"), "utf8").then(
    (text) => text.trim(),
    () => null,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { error: { message: text.slice(0, 500) } };
  }
}
