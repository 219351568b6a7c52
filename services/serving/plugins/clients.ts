import type { Socket } from "node:net";
import { PhasewiseError } from "../../errors.ts";
import { clientOf } from "../client-address.ts";
import type { App, AppLimits } from "../deps.ts";
import { rawReply } from "../raw-reply.ts";
import type { ServingMetrics } from "../serving-metrics.ts";
import { isTrusted, type TrustedProxies } from "../trusted-proxies.ts";

/** Requests on one connection whose replies are not all sent yet: a client that sends more at once reads nothing. */
const MAX_PIPELINED = 64;

/**
 * How much one client may hold open: connections, where it comes by itself, and requests, where it comes through a
 * trusted proxy. A request is open from its headers to the last byte of its reply, so that this counts those who send
 * half a body or read nothing. Health and operators' routes are always heard.
 */
export function capClients(
  app: App,
  limits: AppLimits,
  metrics: ServingMetrics,
  proxies: TrustedProxies,
): void {
  const connections = new Tally();
  app.server.on("connection", (socket: Socket) => {
    const { remoteAddress } = socket;
    if (remoteAddress === undefined || isTrusted(proxies, remoteAddress)) return;
    const client = clientOf(remoteAddress);
    if (connections.add(client) > limits.connectionsPerClient) {
      metrics.refused.inc({ cause: "client-connections" });
      socket.on("error", () => {});
      socket.end(rawReply("RATE_LIMITED", tooMany("connections", limits.connectionsPerClient), 1), () =>
        socket.destroy(),
      );
    }
    socket.once("close", () => connections.remove(client));
  });

  const pipelined = new WeakMap<Socket, number>();
  app.addHook("onRequest", async ({ raw: { socket } }, reply) => {
    const open = (pipelined.get(socket) ?? 0) + 1;
    pipelined.set(socket, open);
    reply.raw.once("close", () => pipelined.set(socket, (pipelined.get(socket) ?? 1) - 1));
    if (open <= MAX_PIPELINED) return;
    // What the parser has already read of this connection still comes here, and is dropped.
    if (!socket.destroyed) metrics.refused.inc({ cause: "pipelined" });
    socket.destroy();
    return reply.hijack();
  });

  const requests = new Tally();
  app.addHook("onRequest", async (request, reply) => {
    const { remoteAddress } = request.socket;
    if (remoteAddress === undefined || !isTrusted(proxies, remoteAddress)) return;
    const { access, neverRefused } = request.routeOptions.config;
    if (neverRefused || access === "operate" || access === "admin") return;
    const client = clientOf(request.ip);
    const open = requests.add(client);
    // "close" comes exactly once for every reply, whether it was sent or its client went away.
    reply.raw.once("close", () => requests.remove(client));
    if (open > limits.openRequestsPerClient) {
      metrics.refused.inc({ cause: "client-requests" });
      reply.header("retry-after", 1);
      throw new PhasewiseError("RATE_LIMITED", tooMany("open requests", limits.openRequestsPerClient));
    }
  });
}

function tooMany(what: string, limit: number): string {
  return `expected at most ${limit} ${what} of one client, got more; end some first`;
}

class Tally {
  readonly #counts = new Map<string, number>();

  add(name: string): number {
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    return count;
  }

  remove(name: string): void {
    const count = (this.#counts.get(name) ?? 1) - 1;
    if (count === 0) this.#counts.delete(name);
    else this.#counts.set(name, count);
  }
}
