/** A recipe for tests: most of what a search may try of it fails, in three ways. Importing this adds it to the ladder. */
import Type from "typebox";
import { registerRecipe } from "../../models/phases.ts";
import { counts } from "../../models/popularity/counts.ts";
import type { Recipe } from "../../models/recipe.ts";

export const FUSSY = "planted-fussy";

/** What becomes of a fit: "dies" ends its process, whoever runs it. */
export const MOODS = ["well", "throws", "no-number", "dies"] as const;

const fussy: Recipe<{ mood: (typeof MOODS)[number]; start: number }> = {
  name: FUSSY,
  phase: 2,
  summary: "for tests",
  schema: Type.Object({ mood: Type.Enum([...MOODS]), start: Type.Number() }, { additionalProperties: false }),
  defaults: { mood: "well", start: 0 },
  space: { mood: { kind: "choice", values: MOODS }, start: { kind: "linear", low: 0, high: 1 } },
  fit: async (train, { mood }) => {
    if (mood === "throws") throw new RangeError("fussy: expected another mood");
    if (mood === "dies") process.kill(process.pid, "SIGKILL");
    const data = counts(train);
    if (mood === "no-number") data[0] = Number.NaN;
    const report = { epochs: 1, losses: [], stillImproving: false, backend: "javascript" };
    return { arrays: { counts: { shape: [data.length], data } }, report };
  },
  scorer: ({ counts: { data } }) => ({ scoreItems: () => Float32Array.from(data) }),
};

registerRecipe(fussy);
