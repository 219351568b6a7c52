import type { FastifyContextConfig, FastifyReply, FastifyRequest, RouteHandlerMethod } from "fastify";
import { PhasewiseError } from "../../errors.ts";
import { AdaptiveLimit } from "../adaptive-limit.ts";
import { clientOf } from "../client-address.ts";
import type { App, AppLimits } from "../deps.ts";
import type { ServingMetrics } from "../serving-metrics.ts";
import { type Leave, Slots } from "../slots.ts";
import type { TrustedProxies } from "../trusted-proxies.ts";
import { Turns } from "../turns.ts";
import { watchTheDoor } from "./front-door.ts";

declare module "fastify" {
  interface FastifyInstance {
    /** To be waited for before a list is made. */
    turns: Turns;
  }
  interface FastifyContextConfig {
    /** Health and metrics answer whatever the load. */
    neverRefused?: boolean;
  }
  interface FastifyRequest {
    /** Gives the request's slot back; null while it holds none. */
    leaveSlot: Leave | null;
  }
}

/** Slots that are left however late everything is. */
const LEAST_SLOTS = 16;
/** How often the lag of the event loop is looked at, milliseconds. */
const LAG_EVERY_MS = 20;
const TOO_MANY = "too many requests at once; try again in a second";

/**
 * Slots count work, not sockets: a request holds one from when its handler starts, the body read and checked, until it
 * has its answer. A client that is slow to send or to read holds none. Operators' routes have slots of their own, and
 * so have those that only look at what there is, and the API's description.
 *
 * Load is shed early, since a request refused at once costs little and one that waits costs its client the wait. How many
 * slots there are follows from how long requests take.
 */
export function refuseOverload(
  app: App,
  limits: AppLimits,
  metrics: ServingMetrics,
  proxies: TrustedProxies,
): void {
  const adaptive = new AdaptiveLimit({
    least: LEAST_SLOTS,
    most: limits.maxInFlight,
    targetMs: limits.targetMs,
  });
  // A request waits a turn of the event loop before this service hears of it.
  let lagMs = 0;
  let due = performance.now() + LAG_EVERY_MS;
  const lag = setInterval(() => {
    lagMs = Math.max(0, performance.now() - due);
    due = performance.now() + LAG_EVERY_MS;
  }, LAG_EVERY_MS);
  lag.unref();
  app.addHook("onClose", async () => clearInterval(lag));
  const everybody = new Slots(() => adaptive.limit, limits.clientShare);
  const slots = {
    everybody,
    operators: new Slots(() => limits.operatorSlots, 1),
    readers: new Slots(() => limits.readerSlots, limits.clientShare),
    strangers: new Slots(() => limits.readerSlots, limits.clientShare),
  };
  const hasRoomFor = (client: string | null): boolean =>
    client === null ? !everybody.full : everybody.hasRoomFor(client);
  const refuse = (): PhasewiseError => {
    metrics.refused.inc({ cause: "in-flight" });
    return new PhasewiseError("OVERLOADED", TOO_MANY);
  };
  const turns = new Turns();
  app.server.on("connection", () => turns.connected());
  app.decorate("turns", turns);
  app.decorateRequest("leaveSlot", null);
  const routes = new Set<string>();
  const door = { hasRoomFor, routes, message: TOO_MANY, retryAfterSeconds: 1, metrics, proxies };
  watchTheDoor(app, door);
  // For those who passed the door: of whom it was not known who they are, or whose path holds a parameter.
  app.addHook("onRequest", async (request) => {
    if (kindOf(request.routeOptions.config) !== "everybody" || request.is404) return;
    if (!everybody.hasRoomFor(clientOf(request.ip))) throw refuse();
  });
  app.addHook("onRoute", (route) => {
    const { handler } = route;
    if (kindOf(route.config) === "everybody" && !route.url.includes(":")) {
      for (const method of [route.method].flat()) routes.add(`${method} ${route.url}`);
    }
    route.handler = function (this: App, request: FastifyRequest, reply: FastifyReply) {
      const kind = kindOf(request.routeOptions.config);
      if (kind === "free") return handler.call(this, request, reply);
      const leave = slots[kind].take(clientOf(request.ip));
      if (leave === null) throw refuse();
      // From here, since how long a client takes to send its body says nothing of the load.
      const startedAt = performance.now();
      request.leaveSlot =
        kind === "everybody"
          ? () => {
              leave();
              const now = performance.now();
              adaptive.record(now - startedAt + lagMs, now);
            }
          : leave;
      let answer: unknown;
      try {
        answer = handler.call(this, request, reply);
      } catch (error) {
        leave();
        throw error;
      }
      return answer instanceof Promise ? answer.finally(leave) : answer;
    } as RouteHandlerMethod as typeof handler;
  });
  // Also of a handler that waits until its reply is read: how long that takes is its client's affair.
  app.addHook("onSend", async (request) => {
    request.leaveSlot?.();
    request.leaveSlot = null;
  });
}

/**
 * `free` takes no slot: health and metrics. `readers` look at what there is, `strangers` at the API's description, so that
 * neither waits for those who are served.
 */
function kindOf(
  config: FastifyContextConfig | undefined,
): "free" | "operators" | "readers" | "strangers" | "everybody" {
  const { access, neverRefused } = config ?? {};
  if (neverRefused) return "free";
  if (access === "open") return "strangers";
  if (access === "view") return "readers";
  return access === "operate" || access === "admin" ? "operators" : "everybody";
}
