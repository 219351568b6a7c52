import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { artifactStore } from "../../services/artifacts/artifact-store.ts";
import type { RedisRegistry } from "../../services/registry/registry.ts";
import { folderStore } from "../../services/storage/folder-store.ts";
import { fitSmall, manifestOf } from "../services/serving/small-world.ts";

export interface SmallLadder {
  readonly floor: string;
  /** Stores and registers another version above the floor. */
  challenger(): Promise<string>;
}

/** Small models in the artifact folder of a service, the floor live. */
export async function raiseSmallLadder(home: string, registry: RedisRegistry): Promise<SmallLadder> {
  await mkdir(join(home, "snapshot"), { recursive: true });
  const artifacts = artifactStore(folderStore(join(home, "artifacts")));
  let made = 0;
  const register = async (recipe: string, params = {}): Promise<string> => {
    const model = await fitSmall(recipe, params);
    const { manifest, manifestSha256 } = await artifacts.write(model, (file) => manifestOf(model, file));
    await registry.register(manifest, manifestSha256, "tests");
    return manifest.version;
  };
  const floor = await register("popularity");
  await registry.promote({ version: floor, expectedLive: null, reason: "the floor", actor: "tests" });
  return { floor, challenger: () => register("popular-lately", { halfLifeDays: 30 + made++ / 8 }) };
}
