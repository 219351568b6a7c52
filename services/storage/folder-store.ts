import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { PhasewiseError } from "../errors.ts";
import type { ByteStore, Content } from "./byte-store.ts";
import { draftPath, isDraft, sweepDrafts } from "./drafts.ts";
import { errorCode, flush, replaceFile, writeFlushed } from "./durable-file.ts";

export interface FolderStoreOptions {
  /** Age at which a draft is taken for a dead writer's (default one hour). */
  readonly staleAfterMs?: number | undefined;
}

const DEFAULT_STALE_AFTER_MS = 3_600_000;
const NO_SPACE: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/**
 * A store in a local folder, or one that machines share. Everything is written and flushed as a draft in the same
 * file system, then renamed. On any failure the draft is removed; what a killed writer leaves is swept by a later one.
 */
export function folderStore(
  folder: string,
  { staleAfterMs = DEFAULT_STALE_AFTER_MS }: FolderStoreOptions = {},
): ByteStore {
  const pathOf = (name: string): string => join(folder, name);

  return {
    place: folder,

    async find(name) {
      const found = await stat(pathOf(name)).catch(absentAsNull);
      if (found === null || !found.isFile()) return null;
      const { size, mtimeMs, ino } = found;
      return { bytes: size, writtenAtMs: mtimeMs, mark: `${ino}:${size}:${mtimeMs}` };
    },

    read: (name) => readFile(pathOf(name)).catch(absentAsNull),

    async readLocally(name, use) {
      if ((await this.find(name)) === null) {
        throw new PhasewiseError("NOT_FOUND", `storage: expected ${name} in ${folder}, got no such file`);
      }
      return use(pathOf(name));
    },

    async write(group, files) {
      const target = pathOf(group);
      const parent = dirname(target);
      await sweepDrafts(parent, staleAfterMs);
      const draft = draftPath(parent, basename(target));
      try {
        await mkdir(draft, { recursive: true });
        for (const [file, content] of files) await put(join(draft, file), content);
        await flush(draft);
        await rename(draft, target);
        await flush(parent);
        return true;
      } catch (error) {
        await rm(draft, { recursive: true, force: true });
        // A folder is never renamed over one that holds files.
        if (["ENOTEMPTY", "EEXIST"].includes(errorCode(error) ?? "")) return false;
        throw noSpace(folder, group, bytesOf(files), error);
      }
    },

    async replace(name, bytes) {
      const target = pathOf(name);
      await mkdir(dirname(target), { recursive: true });
      await sweepDrafts(dirname(target), staleAfterMs);
      await replaceFile(target, bytes).catch((error: unknown) => {
        throw noSpace(folder, name, bytes.length, error);
      });
      await flush(dirname(target));
    },

    async list(group) {
      const names = (await readdir(pathOf(group)).catch(absentAsNull)) ?? [];
      return names.filter((name) => !isDraft(name)).sort();
    },

    remove: (name) => rm(pathOf(name), { recursive: true, force: true }),
  };
}

async function put(path: string, content: Content): Promise<void> {
  if (content instanceof Uint8Array) return writeFlushed(path, content);
  await content(path);
  await flush(path);
}

function bytesOf(files: ReadonlyMap<string, Content>): number {
  return [...files.values()].reduce(
    (sum, content) => sum + (content instanceof Uint8Array ? content.length : 0),
    0,
  );
}

/** The same error unless it says that the disk is full. */
function noSpace(folder: string, name: string, bytes: number, cause: unknown): unknown {
  if (!NO_SPACE.has(errorCode(cause))) return cause;
  return new PhasewiseError(
    "STORE_UNAVAILABLE",
    `${name}: expected room for ${bytes} bytes in ${folder}, got ${errorCode(cause)}; nothing was stored, free some space and try again`,
    { name, bytes },
    cause,
  );
}

function absentAsNull(error: unknown): null {
  if (["ENOENT", "ENOTDIR"].includes(errorCode(error) ?? "")) return null;
  throw error;
}
