import { openContext } from "../../jobs/context.ts";
import { splitByTime, splitTerms } from "../../jobs/data/training-data.ts";
import { judgeOn } from "../../jobs/training/holdout.ts";
import { publish } from "../../jobs/training/publish.ts";
import { unsearched } from "../../jobs/training/search-in-process.ts";
import type { TrainingSet } from "../../models/data/interaction-matrix.ts";
import type { Decision } from "../../models/gate/decision.ts";
import { type FittedModel, fitModel } from "../../models/model.ts";
import type { Config } from "../../services/config.ts";
import type { ModelView } from "../../services/serving/routes/models.ts";
import type { LiveView } from "../../services/serving/routes/promotion.ts";
import type { ApiClient } from "../client/api-client.ts";

/** Tells the planted version from what anybody would train. */
const SEED = 666;
const RECIPE = "popularity";
const REASON = "planted harm: the popularity list upside down, which an operator forces in";

/**
 * Publishes the popularity list upside down, evaluated on the holdout like anything else, and forces it live: what
 * the gate would never let through, so that the watch over the live version has something to find.
 * Null when an earlier start has done it.
 */
export async function plantHarm(api: ApiClient, config: Config): Promise<string | null> {
  const version = await publishHarm(config);
  const { state } = (await api.get<ModelView>(`/models/${version}`)).record;
  if (state !== "REGISTERED") return null;
  const { live } = await api.get<LiveView>("/live");
  if (live === null) throw new Error("planted harm: expected a live version to replace, got none");
  const order = { expectedLive: live.version, expectedEpoch: live.epoch, reason: REASON, force: true };
  await api.post(`/models/${version}/promote`, order);
  return version;
}

/** What became of it, in words; false when it is still live. */
export async function outcomeOfHarm(
  api: ApiClient,
  version: string,
): Promise<{ readonly rolledBack: boolean; readonly words: string }> {
  const { history } = await api.get<LiveView>("/live");
  const rollback = history.findLast(({ action, from }) => action === "auto-rollback" && from === version);
  if (rollback === undefined) {
    return { rolledBack: false, words: `Planted harm: ${version} was NOT rolled back by itself` };
  }
  const { decisionId, version: back, reason } = rollback;
  const decision = decisionId === null ? null : await api.get<Decision>(`/decisions/${decisionId}`);
  const users = decision !== null && "test" in decision.ruling ? decision.ruling.test?.users : undefined;
  const after = users === undefined ? "" : ` after ${users} users`;
  return {
    rolledBack: true,
    words: `Planted harm: ${version} was rolled back by itself${after}, to ${back}, and is quarantined (decision ${decisionId}).\n  ${reason}`,
  };
}

async function publishHarm(config: Config): Promise<string> {
  const context = await openContext(config);
  try {
    const data = await context.loadTrainingData();
    const splits = splitByTime(data, splitTerms(context.policy));
    const evaluation = judgeOn(splits.holdout, await upsideDown(splits.holdout.train), SEED);
    const fitStart = performance.now();
    const fitted = await upsideDown(splits.all);
    const fitSeconds = (performance.now() - fitStart) / 1000;
    const { params } = fitted.model;
    const key = { dataSha256: data.provenance.sha256, recipe: RECIPE, params, seed: SEED };
    await context.evaluations.put(key, evaluation);
    const { manifest } = await publish(context, {
      data,
      splits,
      search: unsearched(params),
      evaluation,
      fitted,
      fitSeconds,
    });
    return manifest.version;
  } finally {
    await context.close();
  }
}

/** The least popular first, for everybody. */
async function upsideDown(train: TrainingSet): Promise<FittedModel> {
  const { model, report } = await fitModel(RECIPE, train, {}, { seed: SEED });
  const { popularity } = model.arrays;
  const turned = (scores: ArrayLike<number>): Float32Array => {
    let most = 0;
    for (let item = 0; item < scores.length; item++) most = Math.max(most, scores[item]);
    return Float32Array.from(scores, (score) => most - score);
  };
  const arrays = { popularity: { shape: popularity.shape, data: turned(popularity.data) } };
  return { model: { ...model, floor: turned(model.floor), arrays }, report };
}
