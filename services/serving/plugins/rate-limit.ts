import type { FastifyReply, FastifyRequest } from "fastify";
import { PhasewiseError } from "../../errors.ts";
import type { Caller } from "../../keys/caller.ts";
import { clientOf } from "../client-address.ts";
import type { App, AppLimits } from "../deps.ts";
import { RateLimiter } from "../rate-limiter.ts";
import type { ServingMetrics } from "../serving-metrics.ts";
import { callerOf } from "./auth.ts";

declare module "fastify" {
  interface FastifyInstance {
    requestLimits: RequestLimits;
  }
}

type Limit = readonly [what: string, who: string, perMinute: number];

/**
 * Who asked too often, in the memory of this replica. Wrong keys have a count of their own, so that they never use up
 * what the right one may ask from the same address.
 */
export class RequestLimits {
  readonly #limiter = new RateLimiter();
  readonly #limits: AppLimits;
  readonly #metrics: ServingMetrics;
  readonly #now: () => number;

  constructor(limits: AppLimits, metrics: ServingMetrics, now: () => number) {
    this.#limits = limits;
    this.#metrics = metrics;
    this.#now = now;
  }

  /** To be called for each wrong key. @throws RATE_LIMITED */
  failedKey(request: FastifyRequest, reply: FastifyReply): void {
    this.#take(reply, ["wrong keys", clientOf(request.ip), this.#limits.failedKeysPerMinute]);
  }

  /** To be called once it is known who asks. @throws RATE_LIMITED */
  asked(request: FastifyRequest, reply: FastifyReply): void {
    const { kind, keyId, requestsPerMinute } = callerOf(request);
    const client = clientOf(request.ip);
    if (requestsPerMinute !== null) this.#take(reply, ["this key's requests", keyId, requestsPerMinute]);
    if (kind === "anonymous") {
      this.#take(reply, ["this client's requests", client, this.#limits.publicRequestsPerMinute]);
    }
    if (kind === "publishable") {
      this.#take(reply, ["this browser's requests", client, this.#limits.browserRequestsPerMinute]);
    }
    const { access } = request.routeOptions.config;
    if (access === "operate" || access === "admin") {
      const operator = `${keyId} ${client}`;
      this.#take(reply, ["operators' requests", operator, this.#limits.operatorRequestsPerMinute]);
    }
  }

  /**
   * To be called for a user whom the caller vouches for. What a user does in browsers is counted apart from what back
   * ends ask for the same user. @throws RATE_LIMITED
   */
  user({ kind }: Caller, userId: string, reply: FastifyReply): void {
    const { userRequestsPerMinute, browserRequestsPerMinute } = this.#limits;
    if (kind === "secret") this.#take(reply, ["this user's requests", userId, userRequestsPerMinute]);
    else this.#take(reply, ["this user's requests from browsers", userId, browserRequestsPerMinute]);
  }

  #take(reply: FastifyReply, [what, who, perMinute]: Limit): void {
    const waitSeconds = this.#limiter.take(`${what} ${who}`, perMinute, this.#now());
    if (waitSeconds === 0) return;
    this.#metrics.refused.inc({ cause: what });
    reply.header("retry-after", waitSeconds);
    const message = `${what}: expected at most ${perMinute} a minute; try again in ${waitSeconds} s`;
    throw new PhasewiseError("RATE_LIMITED", message);
  }
}

/** After `authenticate`, so that each caller is counted apart. */
export function limitRates(app: App, limits: RequestLimits): void {
  app.decorate("requestLimits", limits);
  app.addHook("onRequest", (request, reply, done) => {
    limits.asked(request, reply);
    done();
  });
}
