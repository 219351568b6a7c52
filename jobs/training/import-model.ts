import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { sha256Hex } from "../../models/artifact/artifact.ts";
import type { ItemId } from "../../models/data/ids.ts";
import { foreignArray } from "../../models/exchange/foreign-arrays.ts";
import { ImportError, importFactors, withFloorOf } from "../../models/exchange/import-factors.ts";
import { type Encoder, importedName } from "../../models/factorization/imported.ts";
import { readSafetensors } from "../../models/safetensors/safetensors.ts";
import { SafetensorsError } from "../../models/safetensors/safetensors-header.ts";
import { PhasewiseError } from "../../services/errors.ts";
import { readItemIds } from "../../services/interactions/item-ids.ts";
import type { VersionRecord } from "../../services/registry/types.ts";
import type { JobContext } from "../context.ts";
import { splitByTime, splitTerms } from "../data/training-data.ts";
import { screen } from "../judging/screen.ts";
import { judgeOn } from "./holdout.ts";
import { judgeLive } from "./judge-live.ts";
import { forgetPeakMemory } from "./peak-memory.ts";
import { publish } from "./publish.ts";
import { unsearched } from "./search-in-process.ts";

/** Of its intervals; nothing in it depends on chance. */
const SEED = 1;

export interface ImportRequest {
  readonly phase: number;
  /** Its own name; the recipe becomes `imported-<name>`. */
  readonly recipe: string;
  /** Safetensors with itemFactors (items × d), float32. */
  readonly factors: string;
  /** CSV, Parquet or JSONL with a column itemId, in the order of the rows. */
  readonly items: string;
  readonly encoder?: Encoder | undefined;
  readonly recency?: number | undefined;
  /** Time of the last event that its trainer used. */
  readonly trainedThrough?: string | undefined;
  readonly skipUnknown?: boolean | undefined;
}

export interface ImportedModel {
  readonly version: string;
  readonly record: VersionRecord;
  readonly items: number;
  readonly judgedOffline: boolean;
  /** Holdout nDCG@10; null where the model may have learned from the holdout. */
  readonly ndcg: number | null;
}

/**
 * Factors trained elsewhere → checks → holdout, beside the live baseline → artifact → registry → screen. The factors
 * cannot be trained again without the holdout, so they are judged on it only when their trainer's last event, as
 * declared, precedes it; otherwise the screen says so and the shadow alone decides. Undeclared means: no later than
 * this import.
 */
export async function importModel(context: JobContext, request: ImportRequest): Promise<ImportedModel> {
  if (request.phase !== 3) {
    throw badRequest(
      `phase: expected 3, got ${request.phase}; item factors with a history encoder are a factorization`,
    );
  }
  forgetPeakMemory();
  const recipe = refusedAsBadRequest(() => importedName(request.recipe));
  const bytes = await readWhole(request.factors);
  const source = sha256Hex(bytes);
  const file = refusedAsBadRequest(() => readSafetensors(bytes, foreignArray));
  const itemIds = await readItemIds(request.items);
  const data = await context.loadTrainingData();
  const splits = splitByTime(data, splitTerms(context.policy));
  const known = (item: ItemId): boolean => data.catalogue.has(item) || data.log.items.has(item);
  const model = refusedAsBadRequest(() =>
    importFactors({ ...request, file, source, itemIds, recipe }, known, splits.all),
  );

  const declared = request.trainedThrough ?? file.metadata.get("trainedThrough");
  const trainedThrough = declared === undefined ? context.now() : timeOf(declared);
  const judgedOffline = trainedThrough <= splits.holdout.judgedFrom;
  const evaluation = judgeOn(
    splits.holdout,
    { model: withFloorOf(model, splits.holdout.train) },
    SEED,
    trainedThrough,
  );
  const { sha256: dataSha256 } = data.provenance;
  await context.evaluations.put({ dataSha256, recipe, params: model.params, seed: model.seed }, evaluation);
  await judgeLive(context, dataSha256, splits.holdout, { threads: context.config.threads });

  const through = new Date(Math.max(trainedThrough, Date.parse(data.provenance.through))).toISOString();
  const { manifest } = await publish(context, {
    // The floor was counted on all that is known here; the factors may know more.
    data: { ...data, provenance: { ...data.provenance, through } },
    splits,
    search: unsearched(model.params),
    evaluation,
    fitted: { model, report: { epochs: 0, losses: [], stillImproving: false, backend: "imported" } },
    fitSeconds: 0,
    imported: {
      file: basename(request.factors),
      sha256: source,
      trainedThrough: declared === undefined ? null : new Date(trainedThrough).toISOString(),
      judgedOffline,
    },
  });
  const { version, items } = manifest;
  const record = await screen(context, version);
  const ndcg = judgedOffline ? evaluation.summary.ndcg.mean : null;
  return { version, record, items, judgedOffline, ndcg };
}

async function readWhole(path: string): Promise<Uint8Array> {
  try {
    // A copy in memory of its own: arrays are cut out of it, and a Buffer of Node's may be a part of another's.
    return new Uint8Array(await readFile(path));
  } catch (error) {
    throw badRequest(
      `${path}: expected a safetensors file, got ${(error as Error).message}; name one that exists`,
    );
  }
}

function timeOf(text: string): number {
  const time = Date.parse(text);
  if (Number.isFinite(time)) return time;
  throw badRequest(
    `trained-through: expected a date such as 2018-09-24 or 2018-09-24T14:00:00Z, got "${text}"`,
  );
}

/** What is wrong with the file is the caller's to mend: said in one sentence, without a trace. */
function refusedAsBadRequest<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const refused = [ImportError, SafetensorsError, RangeError].some((kind) => error instanceof kind);
    if (refused) throw badRequest((error as Error).message, error);
    throw error;
  }
}

function badRequest(message: string, cause?: unknown): PhasewiseError {
  return new PhasewiseError("INVALID_DATA", message, {}, cause);
}
