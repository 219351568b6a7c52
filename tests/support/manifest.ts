import { createHash } from "node:crypto";
import type { Manifest } from "../../models/artifact/manifest.ts";
import { eachUserMetric, withExposure } from "../../models/evaluation/metrics.ts";
import type { Phase } from "../../models/recipe.ts";

const NO_METRICS = withExposure(
  eachUserMetric(() => 0),
  [],
);

/** A manifest of a version that exists in name only. */
export function manifestOf(version: string, phase: Phase = 2): Manifest {
  return {
    formatVersion: 1,
    version,
    phase,
    recipe: phase === 1 ? "popularity" : "item-knn",
    params: {},
    seed: 1,
    data: { sha256: "d".repeat(64), rows: 1, from: "2018-01-01T00:00:00Z", through: "2018-01-02T00:00:00Z" },
    code: { version: "0.1.0", git: "none" },
    offline: {
      k: 10,
      users: 0,
      requests: 0,
      dropped: 0,
      ndcg: { mean: 0, low: 0, high: 0 },
      metrics: NO_METRICS,
    },
    training: { epochs: 1, losses: [], stillImproving: false, backend: "javascript" },
    trials: [],
    cost: {
      fitSeconds: 0,
      searchSeconds: 0,
      peakMemoryMb: 0,
      artifactBytes: 0,
      cpuMsPerRequest: 0,
      relativeCost: 1,
      p99Ms: 0,
    },
    items: 1,
    sha256: createHash("sha256").update(version).digest("hex"),
    bytes: 1,
    createdAt: "2018-01-03T00:00:00Z",
  };
}
