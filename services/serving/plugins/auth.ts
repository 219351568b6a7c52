import type { FastifyReply, FastifyRequest, RouteOptions } from "fastify";
import { Compile } from "typebox/compile";
import { PhasewiseError } from "../../errors.ts";
import { ANONYMOUS, type Caller } from "../../keys/caller.ts";
import type { KeyRing } from "../../keys/key-ring.ts";
import { type Access, grants } from "../../keys/scopes.ts";
import type { UserTokens } from "../../keys/user-tokens.ts";
import type { App } from "../deps.ts";
import { UserIdText } from "../schemas.ts";
import type { RequestLimits } from "./rate-limit.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** What the route asks of its caller. A route that does not say keeps the service from starting. */
    access?: Access;
  }
  interface FastifyRequest {
    /** Null until the key was looked at, as for a route that does not exist. */
    knownCaller: Caller | null;
  }
}

export const OPEN = { access: "open" } as const;
export const VIEW = { access: "view" } as const;
export const SERVE = { access: "serve" } as const;
export const INGEST = { access: "ingest" } as const;
export const OPERATE = { access: "operate" } as const;
export const ADMIN = { access: "admin" } as const;

/** What a caller without a key may ask while the service is open to this machine. */
const OPEN_TO_VISITORS: readonly Access[] = ["open", "view", "serve", "ingest"];

/** The header in which a browser sends what its site's back end signed. */
export const USER_TOKEN = "x-user-token";
const isUserId = Compile(UserIdText);

/** A bearer longer than this is no key: it is not hashed. */
const LONGEST_BEARER = 512;

export interface AuthOptions {
  readonly keys: Pick<KeyRing, "find">;
  /** Whether callers without a key are answered now. */
  readonly openToVisitors: () => boolean;
  readonly limits: Pick<RequestLimits, "failedKey">;
  readonly now: () => number;
}

/**
 * Default-deny: every route says what it asks of its caller. Runs in `onRequest`: no body of a stranger is parsed, and
 * what comes after may count each caller apart.
 */
export function authenticate(app: App, options: AuthOptions): void {
  app.decorateRequest("knownCaller", null);
  refuseUndeclaredRoutes(app);
  const know = (request: FastifyRequest, reply: FastifyReply): void => {
    if (request.is404) return;
    const access = request.routeOptions.config.access ?? "admin";
    if (access === "open") return;
    const { authorization } = request.headers;
    if (authorization === undefined) {
      if (options.openToVisitors() && OPEN_TO_VISITORS.includes(access)) return;
      throw unauthorized("expected 'Bearer <key>', got none");
    }
    const caller = callerBy(authorization, options);
    if (caller === null) {
      options.limits.failedKey(request, reply);
      throw unauthorized("expected 'Bearer <key>' with a key that is in use");
    }
    request.knownCaller = caller;
  };
  app.addHook("onRequest", (request, reply, done) => {
    know(request, reply);
    done();
  });
}

/**
 * Adds whom a user token vouches for, after its key was counted, so that nobody makes the service check signatures
 * faster than the key may ask. Beside a secret key, which vouches for every user, a token says nothing new.
 */
export function knowUsers(app: App, tokens: Pick<UserTokens, "userOf"> | null, onRefused: () => void): void {
  const know = async (request: FastifyRequest, caller: Caller, token: unknown): Promise<void> => {
    try {
      const user = await requireTokens(tokens).userOf(String(token));
      if (!isUserId.Check(user)) throw badToken('expected a user id as the claim "sub"');
      request.knownCaller = { ...caller, user };
    } catch (error) {
      onRefused();
      throw error;
    }
  };
  app.addHook("onRequest", (request, _reply, done) => {
    const token = request.headers[USER_TOKEN];
    const { knownCaller: caller } = request;
    if (token === undefined || caller?.kind !== "publishable") done();
    else know(request, caller, token).then(() => done(), done);
  });
}

/** Last of all: what the caller, now fully known, may ask. */
export function authorize(app: App): void {
  app.addHook("onRequest", ({ is404, knownCaller: caller, routeOptions }, _reply, done) => {
    const access = routeOptions.config.access ?? "admin";
    if (is404 || caller === null || access === "open" || mayUse(caller, access)) return done();
    const expected =
      caller.kind === "publishable" && access === "ingest"
        ? `beside a publishable key a user token (${USER_TOKEN})`
        : `a key that may ${access}`;
    throw new PhasewiseError(
      "FORBIDDEN",
      `authorization: expected ${expected}, got one for ${caller.scopes.join(", ")}`,
      { field: "authorization" },
    );
  });
}

export function callerOf(request: FastifyRequest): Caller {
  return request.knownCaller ?? ANONYMOUS;
}

function callerBy(authorization: string, { keys, now }: AuthOptions): Caller | null {
  if (authorization.length > LONGEST_BEARER || !authorization.startsWith("Bearer ")) return null;
  return keys.find(authorization.slice("Bearer ".length), now());
}

function mayUse({ kind, scopes, user }: Caller, access: Exclude<Access, "open">): boolean {
  if (access === "view") return kind === "secret";
  return grants(scopes, access) || (access === "ingest" && user !== null);
}

function requireTokens<T>(tokens: T | null): T {
  if (tokens !== null) return tokens;
  throw badToken("expected none, since no user tokens are configured (PHASEWISE_TOKEN_KEYS)");
}

function badToken(what: string): PhasewiseError {
  return new PhasewiseError("UNAUTHORIZED", `${USER_TOKEN}: ${what}`, { field: USER_TOKEN });
}

function unauthorized(what: string): PhasewiseError {
  return new PhasewiseError(
    "UNAUTHORIZED",
    `authorization: ${what}; the operator's own is PHASEWISE_ADMIN_KEY, or in admin-key of the state folder, and makes others: phasewise keys create`,
    { field: "authorization" },
  );
}

/** Looked at when all routes are there, since a plugin may declare the access of its routes after making them. */
function refuseUndeclaredRoutes(app: App): void {
  const routes: RouteOptions[] = [];
  app.addHook("onRoute", (route) => {
    routes.push(route);
  });
  app.addHook("onReady", async () => {
    for (const { config, method, url } of routes) {
      if (config?.access !== undefined) continue;
      throw new PhasewiseError(
        "INVALID_CONFIGURATION",
        `${method} ${url}: expected the route to declare its access, got none; give it one of the constants of plugins/auth.ts`,
      );
    }
  });
}
