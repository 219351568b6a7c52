import { createHash } from "node:crypto";
import { canonicalJson } from "../../models/canonical-json.ts";
import { MS_PER_DAY } from "../../models/data/day.ts";
import type { CheckpointStore, Params } from "../../models/recipe.ts";
import type { ByteStore } from "../storage/byte-store.ts";

/** What decides a fit: the same key gives the same arrays. */
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

/** The state of fits that are under way, in a store that workers share: any of them may go on with a killed one. */
export interface Checkpoints {
  of(key: FitKey): CheckpointStore;
  /** Forgets a fit whose result is safe. */
  remove(key: FitKey): Promise<void>;
  /** Forgets what fits left that were given up long ago. */
  sweep(now: number): Promise<void>;
}

/** Older ones belong to no job that may still be tried again. */
const KEPT_MS = 7 * MS_PER_DAY;

/** A file a fit, named after the hash of its key. */
export function checkpointsIn(store: ByteStore): Checkpoints {
  const nameOf = (key: FitKey): string => createHash("sha256").update(canonicalJson(key)).digest("hex");
  return {
    of: (key) => {
      const name = nameOf(key);
      return { load: () => store.read(name), save: (bytes) => store.replace(name, bytes) };
    },
    async remove(key) {
      await store.remove(nameOf(key));
    },
    async sweep(now) {
      for (const name of await store.list("")) {
        const facts = await store.find(name);
        if (facts !== null && now - facts.writtenAtMs > KEPT_MS) await store.remove(name);
      }
    },
  };
}
