import { type Agent, request } from "node:http";

const RETRIES = 5;

/** Feedback is idempotent by event id and asking changes nothing, so both may be tried again. */
export async function callApi(
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
