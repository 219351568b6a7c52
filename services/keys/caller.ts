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
  /** Null for no limit of its own. */
  readonly requestsPerMinute: number | null;
}

/**
 * Whether the service can answer for what the caller says of users: a back end that holds a secret key knows who they
 * are. A browser or a stranger may name anybody, so what comes from there is no evidence and no training data.
 */
export function vouchesForUsers({ kind }: Caller): boolean {
  return kind === "secret";
}

export const ANONYMOUS: Caller = {
  kind: "anonymous",
  keyId: "anonymous",
  scopes: [],
  origins: [],
  requestsPerMinute: null,
};

/** The operator's own key, of the environment or the state folder. */
export const ADMINISTRATOR: Caller = {
  kind: "secret",
  keyId: "admin",
  scopes: ["admin"],
  origins: [],
  requestsPerMinute: null,
};

export function callerOf({ kind, id, scopes, origins, requestsPerMinute }: KeyRecord): Caller {
  return { kind, keyId: id, scopes, origins, requestsPerMinute };
}
