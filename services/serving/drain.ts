import { once } from "node:events";
import { Server } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { endsWithin } from "../waiting.ts";
import type { App } from "./deps.ts";

/** Most turns of the event loop that are waited for one without a new connection. */
const MAX_TURNS = 1000;
/** How long a connection that was opened already may take to send its request, milliseconds. */
const LAST_REQUEST_MS = 1500;
/** How long what is under way then may take, milliseconds. */
const LAST_REPLY_MS = 3000;

/**
 * Ends all connections, none of them with a reset that a client could meet which behaves:
 *   1. Nobody listens any more. Connections that the kernel took and nobody accepted would be reset by that, so it is
 *      done right after a turn in which none came.
 *   2. What is open sends its request and is answered; the reply says that it is the connection's last.
 *   3. Those that sent nothing are closed, then those that do not read.
 */
export async function endConnections({ server, draining }: App): Promise<void> {
  if (!server.listening) return;
  const ended = once(server, "close");
  await quietTurn(server);
  // Not the method of HTTP servers, which also closes each connection that has no request at this moment.
  Server.prototype.close.call(server);
  draining.lastReplies = true;
  if (await endsWithin(LAST_REQUEST_MS, ended)) return;
  server.closeIdleConnections();
  if (await endsWithin(LAST_REPLY_MS, ended)) return;
  server.closeAllConnections();
  await ended;
}

async function quietTurn(server: Server): Promise<void> {
  let opened = true;
  const onConnection = (): void => {
    opened = true;
  };
  server.on("connection", onConnection);
  for (let turn = 0; opened && turn < MAX_TURNS; turn++) {
    opened = false;
    await nextTurn();
  }
  server.off("connection", onConnection);
}
