import { sha256Hex } from "../../models/artifact/artifact.ts";

/** Lists every other file of an artifact in the form that `sha256sum -c SHA256SUMS` checks. */
export const CHECKSUMS_FILE = "SHA256SUMS";

export type Files = ReadonlyMap<string, Uint8Array>;
export type Checksums = ReadonlyMap<string, string>;

export function checksumsText(files: Files): string {
  return Array.from(files, ([name, bytes]) => `${sha256Hex(bytes)}  ${name}\n`).join("");
}

/** Null when the text is not exactly what `checksumsText` writes. */
export function parseChecksums(text: string): Checksums | null {
  if (!/^(?:[0-9a-f]{64} {2}[a-z0-9][a-z0-9._-]*\n)+$/.test(text)) return null;
  const lines = text.trimEnd().split("\n");
  const checksums = new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
  return checksums.size === lines.length ? checksums : null;
}
