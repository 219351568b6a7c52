import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { ERROR_STATUS } from "../../errors.ts";
import { clientOf } from "../client-address.ts";
import type { App } from "../deps.ts";
import type { ServingMetrics } from "../serving-metrics.ts";
import { isTrusted, type TrustedProxies } from "../trusted-proxies.ts";

export interface FrontDoor {
  /** Whether there is room for the client; null where it is not known yet which one asks, as behind a proxy. */
  readonly hasRoomFor: (client: string | null) => boolean;
  /** Routes that may be refused here, as "GET /path"; those whose path holds a parameter are refused further in. */
  readonly routes: ReadonlySet<string>;
  /** What is said to those who are refused. */
  readonly message: string;
  readonly retryAfterSeconds: number;
  readonly metrics: ServingMetrics;
  readonly proxies: TrustedProxies;
}

/**
 * What there is no room for is refused before the framework hears of it. At twice the capacity every other request is
 * refused, by the thread that answers the rest: each refusal must cost next to nothing, or refusing is all that is done.
 */
export function watchTheDoor(app: App, door: FrontDoor): void {
  const { metrics, proxies } = door;
  const code = "OVERLOADED";
  const status = ERROR_STATUS[code];
  const bodyOf = (requestId: string): string =>
    JSON.stringify({ error: { code, message: door.message, requestId } });
  const [before, after] = bodyOf("|").split("|");
  const headers = {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(bodyOf(randomUUID())),
    "retry-after": String(door.retryAfterSeconds),
    "x-content-type-options": "nosniff",
  };

  const isFull = ({ socket: { remoteAddress } }: IncomingMessage): boolean => {
    const known = remoteAddress !== undefined && !isTrusted(proxies, remoteAddress);
    return !door.hasRoomFor(known ? clientOf(remoteAddress) : null);
  };
  const refuses = (request: IncomingMessage, reply: ServerResponse): boolean => {
    const { method = "", url = "", socket } = request;
    const end = url.indexOf("?");
    const path = end < 0 ? url : url.slice(0, end);
    if (!door.routes.has(`${method} ${path}`) || !isFull(request)) return false;
    // Who does not read its replies, and the last requests before the end, are looked after further in.
    if (socket.writableLength > 0 || app.draining.lastReplies) return false;
    reply.writeHead(status, headers).end(before + randomUUID() + after);
    metrics.refused.inc({ cause: "in-flight" });
    metrics.requests.inc({ route: path, method, status });
    return true;
  };
  app.server.removeAllListeners("request");
  app.server.on("request", (request: IncomingMessage, reply: ServerResponse) => {
    if (!refuses(request, reply)) app.routing(request, reply);
  });
}
