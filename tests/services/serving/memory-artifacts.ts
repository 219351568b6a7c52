import { createHash } from "node:crypto";
import type { Model } from "../../../models/model.ts";
import type { ArtifactStore, LoadedArtifact } from "../../../services/artifacts/types.ts";
import { PhasewiseError } from "../../../services/errors.ts";

export interface MemoryArtifacts extends Omit<ArtifactStore, "checked"> {
  /** Versions that were loaded, in order. */
  readonly loads: string[];
  /** Makes a version fail to load, as a damaged file does; `null` mends it. */
  damage(version: string, error: Error | null): void;
}

/** An artifact store without a disk, for tests of what serving does with artifacts. */
export function memoryArtifacts(): MemoryArtifacts {
  const stored = new Map<string, LoadedArtifact>();
  const damaged = new Map<string, Error>();
  const loads: string[] = [];
  const find = (version: string): LoadedArtifact => {
    const artifact = stored.get(version);
    if (artifact === undefined) throw new PhasewiseError("NOT_FOUND", `no artifact ${version}`);
    return artifact;
  };
  return {
    loads,
    damage: (version, error) => {
      if (error === null) damaged.delete(version);
      else damaged.set(version, error);
    },
    async write(model: Model, describe) {
      const content = JSON.stringify([model.recipe, model.params, model.seed, [...model.floor]]);
      const sha256 = createHash("sha256").update(content).digest("hex");
      const version = `${model.recipe}-${sha256.slice(0, 12)}`;
      const manifest = describe({ version, sha256, bytes: content.length });
      const manifestSha256 = createHash("sha256").update(JSON.stringify(manifest)).digest("hex");
      stored.set(version, { manifest, manifestSha256, model });
      return { manifest, manifestSha256 };
    },
    manifest: async (version) => find(version),
    async load(version) {
      loads.push(version);
      const error = damaged.get(version);
      if (error !== undefined) throw error;
      return find(version);
    },
  };
}
