import { randomBytes } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** What is being written has such a name until it is whole. */
const PREFIXES = [".writing-", ".tmp-"] as const;

export function isDraft(name: string): boolean {
  return PREFIXES.some((prefix) => name.startsWith(prefix));
}

/** A name beside the final one, that no other writer has. */
export function draftPath(parent: string, name: string): string {
  return join(parent, `${PREFIXES[0]}${name}-${randomBytes(6).toString("hex")}`);
}

/** Removes what writers that were killed have left, once no living writer can still be at it. */
export async function sweepDrafts(parent: string, olderThanMs: number): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter(isDraft)) {
    const path = join(parent, name);
    const found = await stat(path).catch(() => null);
    if (found !== null && Date.now() - found.mtimeMs > olderThanMs) {
      await rm(path, { recursive: true, force: true });
    }
  }
}
