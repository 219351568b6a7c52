import { createSecretKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import { PhasewiseError } from "../errors.ts";
import { isLoopback } from "./exposure.ts";

/** How the site's back end signs. It is fixed by the configuration: what a token says of itself chooses nothing. */
export type TokenAlgorithm = "HS256" | "RS256" | "PS256" | "ES256" | "EdDSA";

const KEY_TYPES: Readonly<Record<TokenAlgorithm, string>> = {
  HS256: "oct",
  RS256: "RSA",
  PS256: "RSA",
  ES256: "EC",
  EdDSA: "OKP",
};

/** As long as the hash, as RFC 7518 (3.2) asks: a shorter one can be guessed. */
const SHORTEST_SECRET_BYTES = 32;
const MOST_SECRETS = 10;
const LARGEST_JWKS_BYTES = 256 * 1024;
const FETCH_TIMEOUT_MS = 5000;

/** Where the keys come from, and how they are read. */
export interface KeySource {
  readonly isRemote: boolean;
  /** Keys are read again when they are older, and not sooner when a token names one that is not there. */
  readonly maxAgeMs: number;
  readonly minAgeMs: number;
  /** Each finds the key of a token, or throws; a token is good when one of them finds the key that signed it. */
  read(): Promise<readonly JWTVerifyGetKey[]>;
}

/** @param where a file, or the URL of a JWKS */
export function keySource(where: string, algorithm: TokenAlgorithm): KeySource {
  if (!/^https?:\/\//.test(where)) {
    const read = async () => keysOf(await readFile(where, "utf8"), algorithm, where);
    return { isRemote: false, maxAgeMs: 2000, minAgeMs: 1000, read };
  }
  const url = URL.canParse(where) ? new URL(where) : null;
  if (url === null || (url.protocol !== "https:" && !isLoopback(url.hostname))) {
    throw refused("an https URL, since whoever changes the keys on their way is believed", where);
  }
  if (algorithm === "HS256") throw refused("a file, since a secret is not fetched from a URL", where);
  const read = async () => keysOf(await fetched(url), algorithm, where);
  return { isRemote: true, maxAgeMs: 300_000, minAgeMs: 30_000, read };
}

async function fetched(url: URL): Promise<string> {
  // Only the address that the operator wrote is asked.
  const reply = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
  if (!reply.ok || reply.body === null) throw refused("a JWKS in reply", `HTTP ${reply.status}`);
  let text = "";
  for await (const part of reply.body.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (text.length > LARGEST_JWKS_BYTES) throw refused(`at most ${LARGEST_JWKS_BYTES} bytes`, "more");
  }
  return text;
}

/** @throws INVALID_CONFIGURATION; secrets are never repeated */
function keysOf(text: string, algorithm: TokenAlgorithm, where: string): readonly JWTVerifyGetKey[] {
  return algorithm === "HS256"
    ? secretsOf(text, where)
    : [createLocalJWKSet(publicKeysOf(text, algorithm, where))];
}

/** A secret a line. What is public must never be taken for a secret: anybody could sign with it. */
function secretsOf(text: string, where: string): readonly JWTVerifyGetKey[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const secrets = lines.filter((line) => line !== "");
  if (/^\s*[{[]/.test(text) || /-----BEGIN/.test(text)) {
    throw refused("secrets, one a line, for HS256", `${where}, which looks like a JWKS or a PEM file`);
  }
  if (secrets.length === 0 || secrets.length > MOST_SECRETS) {
    throw refused(`1 to ${MOST_SECRETS} secrets, one a line`, `${where} with ${secrets.length}`);
  }
  if (secrets.some((secret) => Buffer.byteLength(secret) < SHORTEST_SECRET_BYTES)) {
    throw refused(`secrets of at least ${SHORTEST_SECRET_BYTES} bytes`, `${where} with a shorter one`);
  }
  return secrets.map((secret) => {
    const key = createSecretKey(Buffer.from(secret));
    return () => key;
  });
}

/** Those of the algorithm's type; a site's set may hold others too. */
function publicKeysOf(text: string, algorithm: TokenAlgorithm, where: string): JSONWebKeySet {
  const keys = parsedKeys(text);
  if (keys === null) throw refused('a JWKS, {"keys": [...]}', where);
  const fitting = keys.filter(
    ({ kty, alg }) => kty === KEY_TYPES[algorithm] && (alg ?? algorithm) === algorithm,
  );
  if (fitting.length === 0) throw refused(`a public key for ${algorithm}`, `${where} without one`);
  if (fitting.some(({ d }) => d !== undefined)) {
    throw refused(
      "public keys only",
      `${where} with a private one, which belongs on the site's back end alone`,
    );
  }
  return { keys: fitting };
}

function parsedKeys(text: string): JSONWebKeySet["keys"] | null {
  try {
    const { keys } = JSON.parse(text) as Partial<JSONWebKeySet>;
    return Array.isArray(keys) && keys.every((key) => typeof key === "object" && key !== null) ? keys : null;
  } catch {
    return null;
  }
}

function refused(expected: string, got: string): PhasewiseError {
  return new PhasewiseError(
    "INVALID_CONFIGURATION",
    `keys of user tokens: expected ${expected}, got ${got}; correct PHASEWISE_TOKEN_KEYS or PHASEWISE_TOKEN_ALGORITHM`,
    { setting: "tokenKeys", variable: "PHASEWISE_TOKEN_KEYS" },
  );
}
