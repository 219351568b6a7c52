import { errors, type JWTVerifyGetKey, jwtVerify } from "jose";
import type { Config } from "../config.ts";
import { PhasewiseError } from "../errors.ts";
import { type KeySource, keySource, type TokenAlgorithm } from "./token-keys.ts";

/** How far the clocks of the site's back end and of this machine may be apart. */
const CLOCK_TOLERANCE_SECONDS = 30;
/** Longer is no token: it is not looked at. */
const LONGEST_TOKEN = 4096;

export interface TokenRules {
  readonly algorithm: TokenAlgorithm;
  readonly issuer: string;
  readonly audience: string;
}

/**
 * Tokens (JWT, RFC 7519) by which the site's back end says who sits in front of a browser: `sub` is the user. The
 * configuration fixes algorithm, issuer and audience. Keys are read again as they age, so that they rotate without a
 * restart; what cannot be read leaves the last known ones in use.
 */
export class UserTokens {
  readonly #rules: TokenRules;
  readonly #source: KeySource;
  readonly #now: () => number;
  readonly #onError: (error: unknown) => void;
  #keys: readonly JWTVerifyGetKey[] | null = null;
  #triedAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | null = null;

  constructor(rules: TokenRules, source: KeySource, now: () => number, onError: (error: unknown) => void) {
    this.#rules = rules;
    this.#source = source;
    this.#now = now;
    this.#onError = onError;
  }

  /** Reads the keys. @throws INVALID_CONFIGURATION or why they cannot be read */
  async load(): Promise<void> {
    this.#triedAt = this.#now();
    this.#keys = await this.#source.read();
  }

  /**
   * The user whom the token names.
   * @throws UNAUTHORIZED with what to do; STORE_UNAVAILABLE while no keys are known
   */
  async userOf(token: string): Promise<string> {
    if (token.length > LONGEST_TOKEN) throw untrusted(`expected at most ${LONGEST_TOKEN} characters`);
    const { minAgeMs, maxAgeMs } = this.#source;
    const aging = this.#refreshOlderThan(this.#keys === null ? minAgeMs : maxAgeMs);
    if (this.#keys === null) await aging;
    try {
      return await this.#subjectOf(token);
    } catch (error) {
      if (!isOfUnknownKey(error) || this.#now() - this.#triedAt < minAgeMs) throw asRefusal(error);
    }
    await this.#refreshOlderThan(minAgeMs);
    try {
      return await this.#subjectOf(token);
    } catch (error) {
      throw asRefusal(error);
    }
  }

  async #subjectOf(token: string): Promise<string> {
    if (this.#keys === null) {
      throw new PhasewiseError(
        "STORE_UNAVAILABLE",
        "x-user-token: the keys of user tokens cannot be read now",
      );
    }
    const { algorithm, issuer, audience } = this.#rules;
    const options = {
      algorithms: [algorithm],
      issuer,
      audience,
      requiredClaims: ["sub", "exp"],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(this.#now()),
    };
    let failure: unknown;
    for (const key of this.#keys) {
      try {
        const { payload } = await jwtVerify(token, key, options);
        return payload.sub ?? "";
      } catch (error) {
        failure = error;
        if (!isOfUnknownKey(error)) break;
      }
    }
    throw failure;
  }

  #refreshOlderThan(ageMs: number): Promise<void> {
    if (this.#reading === null && this.#now() - this.#triedAt >= ageMs) {
      this.#reading = this.load()
        .catch(this.#onError)
        .finally(() => {
          this.#reading = null;
        });
    }
    return this.#reading ?? Promise.resolve();
  }
}

/**
 * Null when the site signs no tokens.
 * @throws INVALID_CONFIGURATION
 */
export async function openUserTokens(
  config: Partial<Pick<Config, "tokenKeys" | "tokenAlgorithm" | "tokenIssuer" | "tokenAudience">>,
  now: () => number,
  onError: (error: unknown) => void,
): Promise<UserTokens | null> {
  const { tokenKeys, tokenAlgorithm: algorithm, tokenIssuer: issuer, tokenAudience: audience } = config;
  const given = [tokenKeys, algorithm, issuer, audience].filter((setting) => (setting ?? null) !== null);
  if (given.length === 0) return null;
  if (!tokenKeys || !algorithm || !issuer || !audience) {
    throw new PhasewiseError(
      "INVALID_CONFIGURATION",
      "user tokens: expected all of PHASEWISE_TOKEN_KEYS, PHASEWISE_TOKEN_ALGORITHM, PHASEWISE_TOKEN_ISSUER and PHASEWISE_TOKEN_AUDIENCE, or none of them",
    );
  }
  const source = keySource(tokenKeys, algorithm);
  const tokens = new UserTokens({ algorithm, issuer, audience }, source, now, onError);
  // A URL may be away for a while; a file that cannot be read is a mistake.
  if (!source.isRemote) await tokens.load();
  return tokens;
}

function isOfUnknownKey(error: unknown): boolean {
  return error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey;
}

function asRefusal(error: unknown): PhasewiseError {
  if (error instanceof PhasewiseError) return error;
  if (error instanceof errors.JWTExpired) return untrusted("expected one that has not expired");
  if (error instanceof errors.JWTClaimValidationFailed) {
    return untrusted(`expected the claim "${error.claim}" as the configuration has it`);
  }
  if (error instanceof errors.JWKSMultipleMatchingKeys) {
    return untrusted("expected the id of its key (kid), since there are several");
  }
  return untrusted("expected a JWT that the site's back end signed as the configuration says");
}

function untrusted(what: string): PhasewiseError {
  return new PhasewiseError(
    "UNAUTHORIZED",
    `x-user-token: ${what}; get a new one from the site's back end, or send none and be nobody in particular`,
    { field: "x-user-token" },
  );
}
