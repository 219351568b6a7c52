/**
 * Clients in a process of their own, so that what they cost is not taken from whoever measures. They write to the socket
 * themselves and read no more of a reply than its status, its length and Retry-After: a client of the full kind costs
 * more than the service it asks. Started by `startLoad` (load.ts); one order at a time.
 */
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { seededRandom } from "../../models/data/random.ts";
import type { Load, LoadOrder, Reply } from "./load.ts";

/** The service lets one address have 1000. */
const MAX_CONNECTIONS = 900;
const HEAD_END = Buffer.from("\r\n\r\n");

interface Asked {
  readonly dueMs: number;
  readonly sentMs: number;
}

class Connection {
  readonly socket: Socket;
  readonly #onReply: (asked: Asked, status: number, retryAfter: boolean) => void;
  #asked: Asked | null = null;
  #received: Buffer = Buffer.alloc(0);

  constructor(
    { hostname, port }: URL,
    onReply: (connection: Connection, asked: Asked, status: number, retryAfter: boolean) => void,
  ) {
    this.#onReply = (asked, status, retryAfter) => onReply(this, asked, status, retryAfter);
    this.socket = connect(Number(port), hostname).setNoDelay(true);
    this.socket.on("data", (chunk) => this.#read(chunk));
    this.socket.on("error", () => {});
    this.socket.on("close", () => this.#end(0, false));
  }

  get open(): boolean {
    return !this.socket.destroyed;
  }

  ask(request: string, asked: Asked): void {
    this.#asked = asked;
    this.socket.write(request);
  }

  #read(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const end = this.#received.indexOf(HEAD_END);
    if (end < 0) return;
    const head = this.#received.toString("latin1", 0, end).toLowerCase();
    const length = Number(/content-length: (\d+)/.exec(head)?.[1] ?? 0);
    if (this.#received.length < end + HEAD_END.length + length) return;
    this.#received = Buffer.alloc(0);
    if (head.includes("connection: close")) this.socket.destroy();
    this.#end(Number(head.slice(9, 12)), head.includes("retry-after:"));
  }

  #end(status: number, retryAfter: boolean): void {
    const asked = this.#asked;
    this.#asked = null;
    if (asked !== null) this.#onReply(asked, status, retryAfter);
  }
}

function requestOf({ url, authorization, users, called = "u" }: Load, n: number): string {
  const { host } = new URL(url);
  return `GET /recommend?userId=${called}${n % users} HTTP/1.1\r\nhost: ${host}\r\nauthorization: ${authorization}\r\n\r\n`;
}

/** Poisson arrivals: each is sent when it is due, whatever became of the others. */
async function openLoop(load: Load, perSecond: number, seconds: number): Promise<Reply[]> {
  const url = new URL(load.url);
  const requests = Array.from({ length: load.users }, (_, n) => requestOf(load, n));
  const random = seededRandom(1);
  const replies: Reply[] = [];
  const free: Connection[] = [];
  const waiting: { readonly n: number; readonly dueMs: number }[] = [];
  let connections = 0;
  let asked = 0;
  const startedAt = performance.now();
  const nowMs = (): number => performance.now() - startedAt;

  const onReply = (connection: Connection, { dueMs, sentMs }: Asked, status: number, retryAfter: boolean) => {
    replies.push({ dueMs, sentMs, tookMs: nowMs() - dueMs, status, retryAfter });
    if (connection.open) free.push(connection);
    else connections--;
    const next = waiting.shift();
    if (next !== undefined) send(next.n, next.dueMs);
  };
  const send = (n: number, dueMs: number): void => {
    let connection = free.pop();
    while (connection !== undefined && !connection.open) {
      connections--;
      connection = free.pop();
    }
    if (connection === undefined) {
      if (connections >= MAX_CONNECTIONS) {
        waiting.push({ n, dueMs });
        return;
      }
      connections++;
      connection = new Connection(url, onReply);
    }
    connection.ask(requests[n % requests.length], { dueMs, sentMs: nowMs() });
  };
  for (let dueMs = 0; dueMs < seconds * 1000; ) {
    for (; dueMs <= nowMs() && dueMs < seconds * 1000; asked++) {
      send(asked, dueMs);
      dueMs += (-Math.log(1 - random.next()) * 1000) / perSecond;
    }
    await pause(1);
  }
  while (replies.length < asked) await pause(1);
  for (const { socket } of free) socket.destroy();
  return replies;
}

/** So many clients, each of which asks again once it was answered. */
async function closedLoop(load: Load, clients: number, seconds: number): Promise<Reply[]> {
  const url = new URL(load.url);
  const replies: Reply[] = [];
  const startedAt = performance.now();
  let asked = 0;
  await Promise.all(
    Array.from(
      { length: clients },
      () =>
        new Promise<void>((resolve) => {
          const next = (connection: Connection): void => {
            const dueMs = performance.now() - startedAt;
            connection.ask(requestOf(load, asked++), { dueMs, sentMs: dueMs });
          };
          next(
            new Connection(url, (connection, { dueMs, sentMs }, status, retryAfter) => {
              const nowMs = performance.now() - startedAt;
              replies.push({ dueMs, sentMs, tookMs: nowMs - dueMs, status, retryAfter });
              if (nowMs < seconds * 1000 && connection.open) next(connection);
              else {
                connection.socket.destroy();
                resolve();
              }
            }),
          );
        }),
    ),
  );
  return replies;
}

process.on("message", (order: LoadOrder) => {
  const { load, seconds } = order;
  const run =
    order.kind === "open"
      ? openLoop(load, order.perSecond, seconds)
      : closedLoop(load, order.clients, seconds);
  void run.then((replies) => process.send?.(replies));
});
