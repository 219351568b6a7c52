import { createHash, timingSafeEqual } from "node:crypto";
import { PhasewiseError } from "../../errors.ts";
import type { App } from "../deps.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Who may call the route; a route that does not say needs the admin key. */
    access?: "public" | "operator";
  }
}

export const PUBLIC = { access: "public" } as const;
export const OPERATOR = { access: "operator" } as const;

/**
 * Default-deny: a route answers without a key only if it is marked public. Runs in `preParsing`, so that every
 * `onRequest` hook (overload, rate limit) has run before, and no body of a stranger is parsed.
 */
export function authenticate(app: App, adminKey: string): void {
  if (adminKey.length < 8) {
    throw new PhasewiseError(
      "INVALID_CONFIGURATION",
      "admin key: expected 8 characters or more; set PHASEWISE_ADMIN_KEY",
    );
  }
  const expected = sha256(`Bearer ${adminKey}`);
  app.addHook("preParsing", async (request) => {
    if (request.is404 || request.routeOptions.config.access === "public") return;
    // Hashes have one length, so comparing them takes the same time whatever was sent.
    if (timingSafeEqual(sha256(request.headers.authorization ?? ""), expected)) return;
    throw new PhasewiseError(
      "UNAUTHORIZED",
      "authorization: expected 'Bearer <admin key>'; the key is PHASEWISE_ADMIN_KEY, or the one printed at the first start",
      { field: "authorization" },
    );
  });
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
