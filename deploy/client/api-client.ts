import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** An answer outside 2xx, with the service's own words. */
export class ApiError extends Error {
  readonly status: number;
  readonly body: unknown;

  constructor(status: number, message: string, body: unknown) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.body = body;
  }
}

export interface ApiClient {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  delete<T>(path: string): Promise<T>;
}

/** Talks to a running Phasewise. Operator routes get the key from the environment or the state folder. */
export function apiClient(url: string, adminKey: string | null): ApiClient {
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const headers: Record<string, string> = { accept: "application/json" };
    if (adminKey !== null) headers.authorization = `Bearer ${adminKey}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const response = await sendWithRetries(() => fetch(new URL(path, url), init)).catch((error: Error) => {
      const reason = String(error.cause ?? error);
      throw new ApiError(0, `${url}: no Phasewise answers there (${reason}); start one with npm start`, null);
    });
    const text = await response.text();
    const parsed: unknown = text === "" ? null : parseJson(text);
    if (!response.ok) {
      const error = (parsed as { error?: { message?: string } } | null)?.error;
      throw new ApiError(
        response.status,
        error?.message ?? `${method} ${path}: HTTP ${response.status}`,
        parsed,
      );
    }
    return parsed as T;
  };
  return {
    get: (path) => call("GET", path),
    post: (path, body) => call("POST", path, body),
    delete: (path) => call("DELETE", path),
  };
}

const RETRIES = 5;

/** A busy service says so with 503 or 429 before it has done anything: asking again is safe. */
async function sendWithRetries(send: () => Promise<Response>): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const response = await send();
    if ((response.status !== 503 && response.status !== 429) || attempt === RETRIES) return response;
    await response.arrayBuffer();
    const seconds = Number(response.headers.get("retry-after") ?? 1);
    await new Promise((resolve) => setTimeout(resolve, Math.min(seconds, 5) * 1000));
  }
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
