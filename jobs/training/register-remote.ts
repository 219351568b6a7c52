import { nobodyAsked } from "../../models/evaluation/evaluate.ts";
import { noFaults } from "../../models/evaluation/list-faults.ts";
import { FLOOR_HALF_LIFE_DAYS, type Model } from "../../models/model.ts";
import { decayedCounts } from "../../models/popularity/counts.ts";
import { remoteName, remoteRecipe } from "../../models/remote/remote.ts";
import { PhasewiseError } from "../../services/errors.ts";
import type { VersionRecord } from "../../services/registry/types.ts";
import { askRemote, refusalOf } from "../../services/remote/remote-ranker.ts";
import type { JobContext } from "../context.ts";
import { splitByTime, splitTerms } from "../data/training-data.ts";
import { screen } from "../judging/screen.ts";
import { JUDGED_LIST_LENGTH } from "./holdout.ts";
import { judgeLive } from "./judge-live.ts";
import { forgetPeakMemory } from "./peak-memory.ts";
import { publish } from "./publish.ts";
import { unsearched } from "./search-in-process.ts";

export interface RemoteRequest {
  /** Its own name; the recipe becomes `remote-<name>`. */
  readonly name: string;
  readonly url: string;
}

export interface RegisteredRemote {
  readonly version: string;
  readonly record: VersionRecord;
  /** What it answered to a stranger when it was tried. */
  readonly tried: readonly string[];
}

/** It may wake up first. */
const TRY_TIMEOUT_MS = 10_000;

/**
 * Makes a ranker behind an allowed URL a challenger, once it has answered. What it learned from nobody here knows, so the
 * holdout judges nothing and the shadow alone decides.
 */
export async function registerRemote(context: JobContext, request: RemoteRequest): Promise<RegisteredRemote> {
  const { policy, evaluations } = context;
  const { url } = request;
  const recipe = nameOf(request.name);
  const refusal = refusalOf(url, policy.remote.allowedOrigins);
  if (refusal !== null) throw badRequest(refusal);
  const tried = await tryIt(url);
  forgetPeakMemory();
  const data = await context.loadTrainingData();
  const splits = splitByTime(data, splitTerms(policy));
  const { phase } = remoteRecipe(recipe);
  const model: Model = {
    phase,
    recipe,
    params: { url },
    seed: 1,
    items: splits.all.interactions.items,
    floor: decayedCounts(splits.all, FLOOR_HALF_LIFE_DAYS),
    arrays: {},
  };
  const evaluation = {
    summary: nobodyAsked(JUDGED_LIST_LENGTH, splits.holdout.requests.dropped),
    perUser: [],
    faults: noFaults(),
    window: { trainedThrough: context.now(), judgedFrom: splits.holdout.judgedFrom },
  };
  const { sha256: dataSha256 } = data.provenance;
  await evaluations.put({ dataSha256, recipe, params: model.params, seed: model.seed }, evaluation);
  await judgeLive(context, dataSha256, splits.holdout, { threads: context.config.threads });
  const { manifest } = await publish(context, {
    data,
    splits,
    search: unsearched(model.params),
    evaluation,
    fitted: { model, report: { epochs: 0, losses: [], stillImproving: false, backend: "remote" } },
    fitSeconds: 0,
  });
  return { version: manifest.version, record: await screen(context, manifest.version), tried };
}

async function tryIt(url: string): Promise<string[]> {
  try {
    return await askRemote(
      url,
      { history: [], k: JUDGED_LIST_LENGTH, exclude: [] },
      { timeoutMs: TRY_TIMEOUT_MS },
    );
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error);
    throw badRequest(
      `${url}: expected an answer to POST {"history": [], "k": ${JUDGED_LIST_LENGTH}, "exclude": []}, got: ${got}; mend it there, and register it again`,
      error,
    );
  }
}

function nameOf(name: string): string {
  try {
    return remoteName(name);
  } catch (error) {
    throw badRequest((error as Error).message, error);
  }
}

function badRequest(message: string, cause?: unknown): PhasewiseError {
  return new PhasewiseError("INVALID_DATA", message, {}, cause);
}
