import { type Agent, request } from "node:http";
import { retry } from "../../services/waiting.ts";

const ATTEMPTS = 5;

/** The status is 0 when nothing answered. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "Refusal";
    this.status = status;
  }
}

/** How the API is called: over which connections, and with which key. */
export interface Caller {
  readonly agent: Agent;
  readonly key: string;
}

/** Feedback is idempotent by event id and asking changes nothing, so both may be tried again. */
export function callApi(
  caller: Caller,
  method: string,
  url: string,
  body?: unknown,
  alsoFine?: number,
): Promise<unknown> {
  const call = async (): Promise<unknown> => {
    const { status, text } = await send(caller, method, url, body).catch((error: Error) => ({
      status: 0,
      text: error.message,
    }));
    if (status >= 200 && status < 300) return JSON.parse(text);
    if (status === alsoFine) return null;
    throw new Refusal(status, `${method} ${url}: expected 2xx, got ${status || "no answer"}: ${text}`);
  };
  return retry(call, pauseMs);
}

function pauseMs(attempt: number, error: unknown): number | null {
  const passes = error instanceof Refusal && [0, 429, 503].includes(error.status);
  return passes && attempt < ATTEMPTS ? 50 * 2 ** attempt : null;
}

function send(
  { agent, key }: Caller,
  method: string,
  url: string,
  body: unknown,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${key}`,
      ...(payload === undefined
        ? {}
        : { "content-type": "application/json", "content-length": Buffer.byteLength(payload) }),
    };
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
