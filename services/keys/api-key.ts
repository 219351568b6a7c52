import { hash, randomBytes, timingSafeEqual } from "node:crypto";

/**
 * An API key: `pw_<kind>_<id>_<secret>`. The id is public: it finds the record. The secret is 256 random bits.
 *
 * What is stored is the SHA-256 of the whole key. A slow hash such as scrypt exists for passwords, which can be guessed;
 * nobody guesses 256 bits, and a hash that takes 100 ms would let anybody stop the service with wrong keys.
 */
export type KeyKind = "secret" | "publishable";

const FORM = /^pw_(secret|publishable)_([0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;

/** A text for a log, in which a caller may have put a key where it does not belong. */
export function withoutKeys(text: string): string {
  return text.replaceAll(/(pw_[a-z]+_[0-9a-f]{12}_)[\w-]+/g, "$1…");
}

export function newKeyId(): string {
  return randomBytes(6).toString("hex");
}

export function newKey(kind: KeyKind, id: string): string {
  return `pw_${kind}_${id}_${randomBytes(32).toString("base64url")}`;
}

/** Null for what is no key at all. */
export function idOfKey(key: string): string | null {
  return FORM.exec(key)?.[2] ?? null;
}

export function sha256Of(text: string): string {
  return hash("sha256", text, "hex");
}

export function digestOf(text: string): Buffer {
  return hash("sha256", text, "buffer");
}

/** Takes as long wherever two digests differ. */
export function isSameDigest(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
