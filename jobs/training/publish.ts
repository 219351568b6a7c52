import type { ImportOrigin, Manifest } from "../../models/artifact/manifest.ts";
import { modelCard } from "../../models/card/card.ts";
import { cardMarkdown } from "../../models/card/card-markdown.ts";
import type { FittedModel } from "../../models/model.ts";
import type { LoadedArtifact, StoredArtifact } from "../../services/artifacts/types.ts";
import { CODE } from "../../services/code-version.ts";
import type { StoredEvaluation } from "../../services/evaluations/evaluations.ts";
import type { JobContext } from "../context.ts";
import type { Splits, TrainingData } from "../data/training-data.ts";
import { measureCost } from "./cost.ts";
import { JUDGED_LIST_LENGTH } from "./holdout.ts";
import { peakMemoryMb } from "./peak-memory.ts";
import type { SearchResult } from "./search-in-process.ts";

export interface Publication {
  readonly data: TrainingData;
  readonly splits: Splits;
  readonly search: SearchResult;
  readonly evaluation: StoredEvaluation;
  readonly fitted: FittedModel;
  readonly fitSeconds: number;
  /** Of a model that was trained elsewhere. */
  readonly imported?: ImportOrigin | undefined;
}

/**
 * Writes the artifact with its manifest and its card as of now (an analysis may tell more later), then registers it.
 * Doing it twice changes nothing.
 */
export async function publish(context: JobContext, publication: Publication): Promise<StoredArtifact> {
  const { data, splits, search, evaluation, fitted, fitSeconds } = publication;
  const { model, report } = fitted;
  const live = await liveArtifact(context);
  const { requests } = splits.holdout.requests;
  const { otherCpuMsPerRequest, ...cost } = measureCost(
    model,
    live?.model ?? null,
    requests,
    JUDGED_LIST_LENGTH,
  );
  const describe = (file: { version: string; sha256: string; bytes: number }): Manifest => ({
    formatVersion: 1,
    ...file,
    phase: model.phase,
    recipe: model.recipe,
    params: model.params,
    seed: model.seed,
    data: data.provenance,
    code: CODE,
    offline: evaluation.summary,
    compression: evaluation.compression,
    training: report,
    trials: search.trials,
    choice: search.choice ?? undefined,
    cost: {
      fitSeconds,
      searchSeconds: search.seconds,
      peakMemoryMb: peakMemoryMb(),
      artifactBytes: file.bytes,
      ...cost,
      ...(live !== null &&
        otherCpuMsPerRequest !== null && {
          beside: { version: live.manifest.version, cpuMsPerRequest: otherCpuMsPerRequest },
        }),
    },
    items: model.items.size,
    imported: publication.imported,
    createdAt: new Date(context.now()).toISOString(),
  });
  const stored = await context.artifacts.write(model, describe, (manifest) => ({
    "card.md": cardMarkdown(modelCard(manifest, null)),
  }));
  await context.registry.register(
    stored.manifest,
    stored.manifestSha256,
    publication.imported === undefined ? "retrain" : "import",
  );
  return stored;
}

/** What the new version is to be compared with. One that does not load costs nothing but the comparison. */
async function liveArtifact({ registry, artifacts, log }: JobContext): Promise<LoadedArtifact | null> {
  const live = await registry.live();
  if (live === null) return null;
  try {
    return await artifacts.load(live.version);
  } catch (error) {
    log.warn(
      { version: live.version, error: String(error) },
      "live version not loaded; its cost is not measured",
    );
    return null;
  }
}
