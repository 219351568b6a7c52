import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { canonicalJson } from "../../models/canonical-json.ts";
import { MS_PER_DAY } from "../../models/data/day.ts";
import type { CheckpointStore, Params } from "../../models/recipe.ts";
import { errorCode } from "../artifacts/durable-folder.ts";

/** What decides a fit: the same of these end in the same arrays. */
export interface FitKey {
  readonly dataSha256: string;
  /** Which part of the data is learned from. */
  readonly part: "validation" | "holdout" | "all";
  readonly recipe: string;
  readonly params: Params;
  readonly seed: number;
  /** Version it starts from, when it starts warm. */
  readonly warmStart?: string | undefined;
}

/** The state of fits that are under way, in one folder that workers share: any of them may go on with a killed one. */
export interface Checkpoints {
  of(key: FitKey): CheckpointStore;
  /** Forgets a fit whose result is safe. */
  remove(key: FitKey): Promise<void>;
  /** Forgets what fits left that were given up long ago. */
  sweep(now: number): Promise<void>;
}

/** Older ones belong to no job that may still be tried again. */
const KEPT_MS = 7 * MS_PER_DAY;

export function folderCheckpoints(folder: string): Checkpoints {
  const fileOf = (key: FitKey): string =>
    join(folder, createHash("sha256").update(canonicalJson(key)).digest("hex"));
  return {
    of: (key) => {
      const file = fileOf(key);
      return {
        load: () => readFile(file).catch(absentAsNull),
        async save(bytes) {
          await mkdir(folder, { recursive: true });
          // Whole or not at all. Not flushed: what a power cut tears is known by its hash, and trained again.
          const temporary = `${file}.${randomUUID()}`;
          await writeFile(temporary, bytes);
          // Its draft is gone when the same fit, run twice, has just ended elsewhere: nothing is left to keep then.
          await rename(temporary, file).catch(absentAsNull);
        },
      };
    },
    async remove(key) {
      // With the drafts of processes that were killed while they wrote one.
      const file = basename(fileOf(key));
      const names = (await readdir(folder).catch(absentAsNull)) ?? [];
      const own = names.filter((name) => name === file || name.startsWith(`${file}.`));
      await Promise.all(own.map((name) => rm(join(folder, name), { force: true })));
    },
    async sweep(now) {
      const names = (await readdir(folder).catch(absentAsNull)) ?? [];
      for (const name of names) {
        const found = await stat(join(folder, name)).catch(absentAsNull);
        if (found !== null && now - found.mtimeMs > KEPT_MS) await rm(join(folder, name), { force: true });
      }
    },
  };
}

function absentAsNull(error: unknown): null {
  if (errorCode(error) === "ENOENT") return null;
  throw error;
}
