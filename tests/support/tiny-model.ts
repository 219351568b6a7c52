import { createHash } from "node:crypto";
import type { Manifest } from "../../models/artifact/manifest.ts";
import { type ItemId, itemId } from "../../models/data/ids.ts";
import { Vocabulary } from "../../models/data/vocabulary.ts";
import type { Model } from "../../models/model.ts";
import { manifestOf } from "./manifest.ts";

/** Popularity over three items; each seed gives another version. */
export function tinyModel(seed: number): Model {
  const ids: ItemId[] = ["a", "b", "é-3"].map(itemId);
  const counts = Float32Array.from([3, 2, 1]);
  return {
    phase: 1,
    recipe: "popularity",
    params: {},
    seed,
    items: new Vocabulary(ids),
    floor: counts,
    arrays: { counts: { shape: [3], data: counts } },
  };
}

/** A manifest for a tiny model's file, as `ArtifactStore.write` asks for it. */
export const describeTiny = (file: { version: string; sha256: string; bytes: number }): Manifest => ({
  ...manifestOf(file.version, 1),
  ...file,
  items: 3,
});

export const sha256 = (bytes: Uint8Array | string): string =>
  createHash("sha256").update(bytes).digest("hex");
