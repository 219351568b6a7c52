import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

/** What was written to a file survives a power cut, and so do the names in a folder. */
export async function flush(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A new file with this content, flushed. @throws EEXIST when the name is taken */
export async function writeFlushed(path: string, content: Uint8Array | string, mode = 0o666): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Puts content at a path, whole or not at all, over what stands there; writers at the same time each have a draft
 * of their own, and the last to end wins. The name itself is durable once its folder is flushed.
 */
export async function replaceFile(path: string, content: Uint8Array | string, mode?: number): Promise<void> {
  const draft = join(dirname(path), `.tmp-${randomUUID()}`);
  try {
    await writeFlushed(draft, content, mode);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
