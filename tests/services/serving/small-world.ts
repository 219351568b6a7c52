import { createHash } from "node:crypto";
import type { Manifest } from "../../../models/artifact/manifest.ts";
import { type ItemId, itemId, userId } from "../../../models/data/ids.ts";
import type { Catalogue, InteractionLog } from "../../../models/data/interaction-log.ts";
import { trainingSet } from "../../../models/data/interaction-matrix.ts";
import { Vocabulary } from "../../../models/data/vocabulary.ts";
import { eachUserMetric, withExposure } from "../../../models/evaluation/metrics.ts";
import { fitModel, type Model } from "../../../models/model.ts";

const DAY_MS = 86_400_000;
const START = Date.UTC(2024, 0, 1);

/**
 * Twelve films, f1 to f12, and a hundred users. Of all time f1 is watched most, then f2, …; lately the order
 * is the reverse, so `popularity` and `popular-lately` give plainly different lists. Odd films are dramas,
 * even ones comedies; the last three are westerns besides.
 */
export const FILMS: readonly ItemId[] = Array.from({ length: 12 }, (_, index) => itemId(`f${index + 1}`));

export const CATALOGUE: Catalogue = new Map(
  FILMS.map((id, index) => [
    id,
    {
      title: `Film ${index + 1}`,
      genres: [index % 2 === 0 ? "Drama" : "Comedy", ...(index >= 9 ? ["Western"] : [])],
      year: 1990 + index,
    },
  ]),
);

export function smallLog(): InteractionLog {
  const events: { user: number; item: number; timestamp: number }[] = [];
  for (let item = 0; item < FILMS.length; item++) {
    for (let user = 0; user < 60 - 4 * item; user++) {
      events.push({ user, item, timestamp: START + (item + user / 100) * DAY_MS });
    }
    for (let user = 60; user < 61 + 2 * item; user++) {
      events.push({ user, item, timestamp: START + (2000 + item + user / 100) * DAY_MS });
    }
  }
  events.sort((a, b) => a.timestamp - b.timestamp);
  return {
    users: new Vocabulary(Array.from({ length: 100 }, (_, index) => userId(`u${index}`))),
    items: new Vocabulary(FILMS),
    userIndex: Uint32Array.from(events, ({ user }) => user),
    itemIndex: Uint32Array.from(events, ({ item }) => item),
    timestamps: Float64Array.from(events, ({ timestamp }) => timestamp),
    weights: new Float32Array(events.length).fill(1),
  };
}

export async function fitSmall(recipe: string, params = {}): Promise<Model> {
  const train = trainingSet(smallLog(), CATALOGUE);
  return (await fitModel(recipe, train, params, { seed: 1 })).model;
}

/** A manifest around a model with made-up figures; `file` is what the artifact's bytes turned out to be. */
export function manifestOf(model: Model, file: { version: string; sha256: string; bytes: number }): Manifest {
  return {
    formatVersion: 1,
    version: file.version,
    phase: model.phase,
    recipe: model.recipe,
    params: model.params,
    seed: model.seed,
    data: {
      sha256: createHash("sha256").update("small world").digest("hex"),
      rows: 480,
      from: new Date(START).toISOString(),
      through: new Date(START + 2100 * DAY_MS).toISOString(),
    },
    code: { version: "0.1.0", git: "0000000" },
    offline: {
      k: 10,
      users: 20,
      requests: 40,
      dropped: 0,
      ndcg: { mean: 0.1, low: 0.05, high: 0.15 },
      metrics: withExposure(
        eachUserMetric(() => 0.1),
        [1, 0],
      ),
    },
    training: { epochs: 1, losses: [], stillImproving: false, backend: "javascript" },
    trials: [],
    cost: {
      fitSeconds: 0.1,
      searchSeconds: 0,
      peakMemoryMb: 50,
      artifactBytes: file.bytes,
      cpuMsPerRequest: 0.1,
      relativeCost: 1,
      p99Ms: 0.2,
    },
    items: model.items.size,
    sha256: file.sha256,
    bytes: file.bytes,
    createdAt: new Date(START).toISOString(),
  };
}
