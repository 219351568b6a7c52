import { randomBytes } from "node:crypto";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { flush, writeFlushed } from "../durable-file.ts";

const TEMPORARY_PREFIX = ".writing-";

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

/**
 * Puts a folder of files at `parent/name`, whole or not at all: everything is written and flushed under a
 * temporary name in the same file system, then renamed. Resolves to false, and changes nothing, when the name
 * is taken, also by a writer that was faster. On any failure the temporary folder is removed.
 */
export async function writeFolder(
  parent: string,
  name: string,
  files: ReadonlyMap<string, Uint8Array | string>,
): Promise<boolean> {
  const temporary = join(parent, `${TEMPORARY_PREFIX}${name}-${randomBytes(6).toString("hex")}`);
  try {
    await mkdir(temporary, { recursive: true });
    for (const [file, content] of files) await writeFlushed(join(temporary, file), content);
    await flush(temporary);
    await rename(temporary, join(parent, name));
    await flush(parent);
    return true;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    // A folder is never renamed over one that holds files.
    if (["ENOTEMPTY", "EEXIST"].includes(errorCode(error) ?? "")) return false;
    throw error;
  }
}

/** Removes what writers that were killed have left, once no living writer can still be at it. */
export async function sweepTemporary(parent: string, olderThanMs: number): Promise<void> {
  const names = await readdir(parent).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  });
  for (const name of names) {
    if (!name.startsWith(TEMPORARY_PREFIX)) continue;
    const path = join(parent, name);
    const found = await stat(path).catch(() => null);
    if (found !== null && Date.now() - found.mtimeMs > olderThanMs) {
      await rm(path, { recursive: true, force: true });
    }
  }
}
