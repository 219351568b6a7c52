import { join } from "node:path";

/** Where things rest under the state folder (`PHASEWISE_HOME`, default `.phasewise/`). */
export interface StatePaths {
  readonly artifacts: string;
  readonly snapshot: string;
  readonly catalogue: string;
  readonly checkpoints: string;
  readonly logs: string;
}

export function statePaths(stateFolder: string): StatePaths {
  const snapshot = join(stateFolder, "snapshot");
  return {
    artifacts: join(stateFolder, "artifacts"),
    snapshot,
    catalogue: join(snapshot, "catalogue.json"),
    checkpoints: join(stateFolder, "checkpoints"),
    logs: join(stateFolder, "logs"),
  };
}
