import { MS_PER_DAY } from "../../models/data/day.ts";
import { explainForecast } from "../../models/gate/explain-forecast.ts";
import { forecastVerdicts } from "../../models/gate/forecast.ts";
import { policySha256 } from "../../models/gate/policy.ts";
import { PHASES } from "../../models/phases.ts";
import type { Phase } from "../../models/recipe.ts";
import type { VerdictForecast } from "../../services/forecasts/redis-forecasts.ts";
import type { JobContext } from "../context.ts";

type Sources = Pick<JobContext, "registry" | "artifacts" | "evaluations" | "looks" | "policy">;

interface Asked {
  readonly phase: Phase;
  readonly recipe?: string | undefined;
}

/**
 * Before a challenger is trained: what a verdict on it would take, from the live version's own holdout, the traffic and
 * the policy. One of the live recipe would come as its refresh. Empty where nothing is live, or the live version's
 * holdout is not known any more.
 */
export async function forecastVerdict(
  { registry, artifacts, evaluations, looks, policy }: Sources,
  asked: readonly Asked[],
): Promise<readonly VerdictForecast[]> {
  const live = await registry.live();
  if (live === null) return [];
  const { manifest } = await artifacts.manifest(live.version);
  const evaluation = await evaluations.get({ ...manifest, dataSha256: manifest.data.sha256 });
  if (evaluation === null || evaluation.perUser.length === 0) return [];
  const { perUser, summary, window } = evaluation;
  const lately = (await looks.latest()).find(({ standing }) => typeof standing?.usersPerDay === "number");
  const holdoutDays = (Date.parse(manifest.data.through) - window.judgedFrom) / MS_PER_DAY;
  const inHoldout = holdoutDays > 0 ? (summary.sampledFrom ?? perUser.length) / holdoutDays : 0;
  const usersPerDay = lately?.standing?.usersPerDay ?? inHoldout;
  const { pair, promotions } = await registry.discoveries();
  const facts = {
    figures: perUser.map(({ ndcg }) => ndcg),
    usersPerDay,
    attempt: (await registry.attemptsAtLive()) + 1,
    ...(policy.alphaSpending === "fdr" && { discovery: { pair: pair + 1, promotions } }),
  };
  return asked.map(({ phase, recipe }) => {
    const kind = recipe === manifest.recipe ? "REFRESH" : "UPGRADE";
    const lifts = forecastVerdicts(
      facts,
      { kind, phases: { challenger: phase, baseline: manifest.phase } },
      policy,
    );
    return { baseline: live.version, phase, usersPerDay, lifts, sentence: explainForecast(lifts) };
  });
}

/** Keeps the forecasts for the live version's rung and those above it, while what they rest on has changed. */
export async function refreshForecasts(context: JobContext): Promise<void> {
  const { registry, forecasts, policy } = context;
  const live = await registry.live();
  if (live === null) return;
  const attempts = await registry.attemptsAtLive();
  const basis = `${live.version} ${attempts} ${policySha256(policy)}`;
  if ((await forecasts.basis()) === basis) return;
  const record = await registry.version(live.version);
  const above = PHASES.filter(({ phase }) => phase >= (record?.phase ?? 1));
  await forecasts.put(await forecastVerdict(context, above), basis);
}
