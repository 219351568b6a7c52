import { createHash } from "node:crypto";

/**
 * One text for one value: keys sorted at every level, no blanks, absent for undefined, numbers as JavaScript
 * prints them (shortest text that reads back to the same double). Numbers that are not finite become null,
 * as in JSON.stringify, so a reader finds them missing and never finds them good.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isRecord(inner) ? Object.fromEntries(Object.entries(inner).sort(byKey)) : inner,
  );
}

/** SHA-256 of a text, hex. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
