import { PhasewiseError } from "../errors.ts";
import type { Scope } from "./scopes.ts";
import type { KeyRecord } from "./types.ts";

/** Who sent a request, as far as the service can tell. */
export interface Caller {
  /** `secret`: a back end, which names its users. `publishable`: a browser on an allowed page. `anonymous`: unknown. */
  readonly kind: "secret" | "publishable" | "anonymous";
  /** Id of the key; kept beside what came through it. */
  readonly keyId: string;
  readonly scopes: readonly Scope[];
  /** Pages that may use a publishable key. */
  readonly origins: readonly string[];
  /** Whom a user token vouches for, where the key itself vouches for nobody. */
  readonly user: string | null;
  /** Null for no limit of its own. */
  readonly requestsPerMinute: number | null;
}

/**
 * Whether the service can answer for what the caller says of users: a back end that holds a secret key knows who they
 * are, and a user token is that back end's word on one. Any other browser or stranger may name anybody, so what comes
 * from there is no evidence and no training data.
 */
export function vouchesForUsers({ kind, user }: Caller): boolean {
  return kind === "secret" || user !== null;
}

/** @throws FORBIDDEN when a user token vouches for somebody else */
export function requireOwnUser({ user }: Caller, named: string, field: string): void {
  if (user === null || named === user) return;
  throw new PhasewiseError("FORBIDDEN", `${field}: expected the user of the token (its sub), got another`, {
    field,
  });
}

export const ANONYMOUS: Caller = {
  kind: "anonymous",
  keyId: "anonymous",
  scopes: [],
  origins: [],
  user: null,
  requestsPerMinute: null,
};

/** The operator's own key, of the environment or the state folder. */
export const ADMINISTRATOR: Caller = {
  kind: "secret",
  keyId: "admin",
  scopes: ["admin"],
  origins: [],
  user: null,
  requestsPerMinute: null,
};

export function callerOf({ kind, id, scopes, origins, requestsPerMinute }: KeyRecord): Caller {
  return { kind, keyId: id, scopes, origins, user: null, requestsPerMinute };
}
