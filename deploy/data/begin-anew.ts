import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { DEFAULT_PREFIX, type Installation } from "../../services/config.ts";
import { ERASED, ERASED_VERSION, WRITING } from "../../services/interactions/keys.ts";
import { connectForQueues, queuePrefixOf } from "../../services/redis.ts";

/** What belongs to the data of an installation; keys of operators and clients do not. Who was erased stays so. */
const DATA_PARTS = ["artifacts", "snapshot", "checkpoints", "last-live.json", "replay.json"];
const KEPT = ["keys", "installation", "installation-secret", WRITING, ERASED, ERASED_VERSION];
const SCAN_KEYS = 1000;

/**
 * Forgets the ladder, the histories, the queues and the snapshots of an installation, so that other data begins one of
 * its own. Files are moved aside, into `replaced-TIME`, not deleted. Nothing may serve it meanwhile.
 */
export async function beginAnew(
  installation: Installation & { readonly stateFolder: string },
  now: number,
): Promise<string> {
  const redis = connectForQueues(installation, "patient", () => {});
  const own = `{${installation.prefix ?? DEFAULT_PREFIX}}:`;
  try {
    for (const prefix of [own, `${queuePrefixOf(installation)}:`]) {
      let cursor = "0";
      do {
        const [next, keys] = await redis.scan(cursor, "MATCH", `${escaped(prefix)}*`, "COUNT", SCAN_KEYS);
        const gone = keys.filter((key) => !KEPT.includes(key.slice(own.length)));
        if (gone.length > 0) await redis.unlink(...gone);
        cursor = next;
      } while (cursor !== "0");
    }
  } finally {
    redis.disconnect();
  }
  const aside = join(
    installation.stateFolder,
    `replaced-${new Date(now).toISOString().replaceAll(/[:.]/g, "-")}`,
  );
  await mkdir(aside, { recursive: true });
  for (const part of DATA_PARTS) {
    await rename(join(installation.stateFolder, part), join(aside, part)).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      },
    );
  }
  return aside;
}

/** Letters that SCAN's patterns give a meaning. */
const escaped = (prefix: string): string => prefix.replaceAll(/[*?[\]\\]/g, "\\$&");
