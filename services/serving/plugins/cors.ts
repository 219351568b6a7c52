import type { FastifyReply, FastifyRequest } from "fastify";
import { PhasewiseError } from "../../errors.ts";
import type { KeyRing } from "../../keys/key-ring.ts";
import type { App } from "../deps.ts";
import { callerOf, OPEN, USER_TOKEN } from "./auth.ts";

const MAX_AGE_SECONDS = 600;

/**
 * Pages may ask through a publishable key that names their origin, and through nothing else. A preflight carries no key,
 * so it is allowed for every page that some publishable key names; the request after it must come from a page of its own
 * key.
 */
export function allowOrigins(app: App, keys: Pick<KeyRing, "allowsOrigin">): void {
  const allow = ({ headers }: FastifyRequest, reply: FastifyReply): void => {
    const { origin } = headers;
    reply.header("vary", "origin");
    if (origin !== undefined && keys.allowsOrigin(origin))
      reply.header("access-control-allow-origin", origin);
  };
  for (const url of ["/recommend", "/feedback", "/items/:itemId/similar"]) {
    app.options(url, { config: OPEN, schema: { hide: true } }, async (request, reply) => {
      allow(request, reply);
      return await reply
        .header("access-control-allow-methods", "GET, POST")
        .header("access-control-allow-headers", `authorization, content-type, ${USER_TOKEN}`)
        .header("access-control-max-age", MAX_AGE_SECONDS)
        .status(204)
        .send();
    });
  }
  app.addHook("onRequest", (request, reply, done) => {
    const { kind, origins } = callerOf(request);
    if (kind !== "publishable") return done();
    allow(request, reply);
    if (origins.includes(request.headers.origin ?? "")) return done();
    throw new PhasewiseError(
      "FORBIDDEN",
      `origin: expected a page that this publishable key names, got ${JSON.stringify(request.headers.origin ?? null)}`,
      { field: "origin" },
    );
  });
}
