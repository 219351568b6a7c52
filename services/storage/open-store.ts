import type { Config } from "../config.ts";
import { type ByteStore, within } from "./byte-store.ts";
import { folderStore } from "./folder-store.ts";

/** What an installation keeps outside Redis, each in a part of one store. */
export interface Stores {
  readonly artifacts: ByteStore;
  /** The snapshot that models train on, and the catalogue. */
  readonly snapshot: ByteStore;
  readonly checkpoints: ByteStore;
}

/** The one place that chooses a store: a folder, `PHASEWISE_HOME`. */
export function openStores({ stateFolder }: Pick<Config, "stateFolder">): Stores {
  const store = folderStore(stateFolder);
  return {
    artifacts: within(store, "artifacts"),
    snapshot: within(store, "snapshot"),
    checkpoints: within(store, "checkpoints"),
  };
}
