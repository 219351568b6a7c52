import { createHmac, timingSafeEqual } from "node:crypto";
import { MS_PER_DAY } from "../../models/data/day.ts";

/** Feedback on a list older than this counts as organic. */
const VALID_DAYS = 60;

/**
 * The service's signature on the id of a list: `<id>.<version>.<day>.<MAC>`, the MAC over all of it and the user.
 * Feedback that names a list says "chosen from what you showed", which moves evidence: only the service may hand such
 * names out, each to one user. Inside, the id alone is kept.
 */
export class RequestIds {
  #secret: string | null;

  /** @param secret null while it is not known yet: ids then go out unsigned, and count as organic when they come back */
  constructor(secret: string | null = null) {
    this.#secret = secret;
  }

  use(secret: string): void {
    this.#secret = secret;
  }

  sign(id: string, user: string, version: string, now: number): string {
    if (this.#secret === null) return id;
    const named = `${id}.${version}.${Math.floor(now / MS_PER_DAY)}`;
    return `${named}.${mac(this.#secret, named, user)}`;
  }

  /** The id that was signed for this user, or null for any other. */
  idOf(signed: string, user: string, now: number): string | null {
    const parts = /^((.+)\.[^.]+\.(\d{1,6}))\.([A-Za-z0-9_-]{22})$/.exec(signed);
    if (parts === null || this.#secret === null) return null;
    const [, named, id, day, given] = parts;
    const age = Math.floor(now / MS_PER_DAY) - Number(day);
    if (age < -1 || age > VALID_DAYS) return null;
    const expected = Buffer.from(mac(this.#secret, named, user));
    return timingSafeEqual(Buffer.from(given), expected) ? id : null;
  }
}

/** 128 bits of HMAC-SHA-256; a user's id holds no NUL, so that no two pairs make one text. */
function mac(secret: string, named: string, user: string): string {
  return createHmac("sha256", secret)
    .update(`${named}\0${user}`)
    .digest()
    .subarray(0, 16)
    .toString("base64url");
}
