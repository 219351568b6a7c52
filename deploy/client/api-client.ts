import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { retry } from "../../services/waiting.ts";

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
  delete<T>(path: string): Promise<T>;
}

/** Talks to a running Phasewise. Operator routes get the key from the environment or the state folder. */
export function apiClient(url: string, adminKey: string | null): ApiClient {
  const send = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const headers: Record<string, string> = { accept: "application/json" };
    if (adminKey !== null) headers.authorization = `Bearer ${adminKey}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const response = await fetch(new URL(path, url), init).catch((error: Error) => {
      const reason = String(error.cause ?? error);
      throw new ApiError(0, `${url}: no Phasewise answers there (${reason}); start one with npm start`, null);
    });
    const text = await response.text();
    const parsed: unknown = text === "" ? null : parseJson(text);
    if (!response.ok) {
      const error = (parsed as { error?: { message?: string } } | null)?.error;
      const message = error?.message ?? `${method} ${path}: HTTP ${response.status}`;
      const seconds = Number(response.headers.get("retry-after") ?? 1);
      throw new ApiError(response.status, message, parsed, seconds * 1000);
    }
    return parsed as T;
  };
  const call = <T>(method: string, path: string, body?: unknown) =>
    retry(() => send<T>(method, path, body), pauseMs);
  return {
    get: (path) => call("GET", path),
    post: (path, body) => call("POST", path, body),
    delete: (path) => call("DELETE", path),
  };
}

const ATTEMPTS = 5;
const LONGEST_PAUSE_MS = 5000;

/** A busy service says so with 503 or 429 before it has done anything: asking again is safe. */
function pauseMs(attempt: number, error: unknown): number | null {
  const busy = error instanceof ApiError && (error.status === 503 || error.status === 429);
  return busy && attempt < ATTEMPTS ? Math.min(error.retryAfterMs, LONGEST_PAUSE_MS) : null;
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
