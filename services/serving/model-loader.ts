import type { ArtifactStore } from "../artifacts/types.ts";
import type { Registry } from "../registry/types.ts";
import { type Lineup, modelIn } from "./lineup.ts";
import { readyModel, type ServedModel } from "./served-model.ts";

export interface ModelLoaderDeps {
  readonly registry: Pick<Registry, "version">;
  readonly artifacts: Pick<ArtifactStore, "load">;
  readonly onFailed: (version: string, error: unknown) => void;
}

/** Loads versions, each checked and asked a few questions before anybody is served from it. */
export class ModelLoader {
  readonly #deps: ModelLoaderDeps;

  constructor(deps: ModelLoaderDeps) {
    this.#deps = deps;
  }

  /**
   * From the lineup where it is there already. The registry's hash of the manifest is checked when the registry can be
   * asked; the file's own always is.
   * @throws ARTIFACT_REFUSED, NOT_FOUND
   */
  async load(version: string, lineup: Lineup | null): Promise<ServedModel> {
    const there = modelIn(lineup, version);
    if (there !== null) return there;
    const record = await this.#deps.registry.version(version).catch(() => null);
    return readyModel(await this.#deps.artifacts.load(version, record?.manifestSha256));
  }

  /** Null where there is nothing to load, or it does not load. */
  async tryToLoad(version: string | null, lineup: Lineup | null): Promise<ServedModel | null> {
    if (version === null) return null;
    try {
      return await this.load(version, lineup);
    } catch (error) {
      this.#deps.onFailed(version, error);
      return null;
    }
  }
}
