import type { Interaction } from "../../models/data/interaction-log.ts";

export interface RemoteQuestion {
  readonly history: readonly Interaction[];
  readonly k: number;
  readonly exclude: readonly string[];
  readonly genre?: string | undefined;
}

export interface RemoteLimits {
  readonly timeoutMs: number;
  /** A reply larger than this is not read to its end. */
  readonly mostBytes?: number;
}

export class RemoteTimeout extends Error {}

/** Ten items need a few hundred bytes; a thousand of the longest ids half a megabyte. */
const MOST_BYTES = 1_000_000;

/**
 * Asks `POST {history, k, exclude, genre?} → {items: [id, …]}`, ids as text. It follows no redirect: the allow-list
 * names where one may go. @throws RemoteTimeout, and an Error that says what came instead
 */
export async function askRemote(
  url: string,
  { history, k, exclude, genre }: RemoteQuestion,
  { timeoutMs, mostBytes = MOST_BYTES }: RemoteLimits,
): Promise<string[]> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const reply = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ history, k, exclude, ...(genre === undefined ? {} : { genre }) }),
      redirect: "error",
      signal,
    });
    if (reply.status !== 200) {
      await reply.body?.cancel();
      throw new Error(`expected status 200, got ${reply.status}`);
    }
    return itemsOf(await textOf(reply, mostBytes));
  } catch (error) {
    if (signal.aborted) throw new RemoteTimeout(`no answer within ${timeoutMs} ms`);
    throw error;
  }
}

async function textOf({ body }: Response, mostBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > mostBytes) throw new Error(`expected at most ${mostBytes} bytes, got more`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function itemsOf(text: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`expected JSON {"items": [id, …]}, got ${JSON.stringify(text.slice(0, 40))}`);
  }
  const items = typeof value === "object" && value !== null ? (value as Record<string, unknown>).items : null;
  if (Array.isArray(items) && items.every((item) => typeof item === "string")) return items;
  throw new Error(`expected {"items": [id, …]} with ids as text, got ${text.slice(0, 60)}`);
}

/** Why a URL may not be asked, in words; null when its origin stands in the list. */
export function refusalOf(url: string, allowedOrigins: readonly string[]): string | null {
  let origin: string;
  try {
    const parsed = new URL(url);
    if (parsed.protocol !== "http:" && parsed.protocol !== "https:") throw new Error();
    origin = parsed.origin;
  } catch {
    return `url: expected http://… or https://…, got "${url}"`;
  }
  if (allowedOrigins.includes(origin)) return null;
  const known = allowedOrigins.length === 0 ? "which is empty" : allowedOrigins.join(", ");
  return `url: expected an origin of the policy's remote.allowedOrigins (${known}), got ${origin}; add it there, and start the worker again`;
}
