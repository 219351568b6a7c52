import Type, { type Static } from "typebox";
import type { TrainingCost } from "../../../models/artifact/manifest.ts";
import type { Findings } from "../../../models/card/findings.ts";
import type { EvaluationSummary } from "../../../models/evaluation/report.ts";
import { DIAGNOSIS_WORDS } from "../../../models/gate/diagnosis.ts";
import { PHASES, RECIPES } from "../../../models/phases.ts";
import { Phase } from "../../../models/recipe.ts";
import { VerdictForecast } from "../../forecasts/redis-forecasts.ts";
import { HoldbackStatus } from "../../holdback/types.ts";
import { DecisionSummary } from "../../registry/decision-summary.ts";
import { LivePointer, VersionRecord } from "../../registry/types.ts";
import { Look } from "../../shadow/looks.ts";
import type { App, ServingDeps } from "../deps.ts";
import { VIEW } from "../plugins/auth.ts";
import { ERROR_RESPONSES } from "../schemas.ts";

const LadderVersion = Type.Object({
  ...VersionRecord.properties,
  live: Type.Boolean(),
  offline: Type.Unsafe<EvaluationSummary | null>({
    description: "offline evaluation, null when the artifact is not here",
  }),
  cost: Type.Unsafe<TrainingCost | null>({ description: "what training and a recommendation cost" }),
  diagnosis: Type.Union([Type.String(), Type.Null()], {
    description:
      "what it looks like when it does not pay, in a few words, or null; the model card has the evidence",
  }),
  lastDecision: Type.Union([DecisionSummary, Type.Null()], {
    description: "the gate's last word on its climb, or null",
  }),
  lastLook: Type.Union([Look, Type.Null()], {
    description: "where its running comparison stands, as the judge saw it last, or null",
  }),
});
export type LadderVersion = Readonly<Static<typeof LadderVersion>>;

export const Ladder = Type.Object({
  live: Type.Union([LivePointer, Type.Null()]),
  forecasts: Type.Array(VerdictForecast, {
    description:
      "what a verdict on a challenger that is trained now would take, of the live rung and those above it; empty before the judge has looked",
  }),
  holdback: Type.Union([HoldbackStatus, Type.Null()], {
    description:
      "what all promotions together bring, by users who stay on the floor and their twins; null where the policy holds nobody back",
  }),
  phases: Type.Array(
    Type.Object({
      phase: Phase,
      name: Type.String(),
      summary: Type.String(),
      live: Type.Boolean(),
      recipes: Type.Array(
        Type.Object({ name: Type.String(), summary: Type.String(), params: Type.Unknown() }),
      ),
      versions: Type.Array(LadderVersion),
    }),
  ),
});
export type Ladder = Readonly<Static<typeof Ladder>>;

export function ladderRoutes(app: App, deps: ServingDeps): void {
  /** Manifests are immutable, so each is read once. */
  const known = new Map<string, { offline: EvaluationSummary; cost: TrainingCost }>();
  const figuresOf = async (
    version: string,
  ): Promise<{ offline: EvaluationSummary | null; cost: TrainingCost | null }> => {
    const cached = known.get(version);
    if (cached !== undefined) return cached;
    try {
      const { offline, cost } = (await deps.artifacts.manifest(version)).manifest;
      known.set(version, { offline, cost });
      return { offline, cost };
    } catch {
      return { offline: null, cost: null };
    }
  };

  app.get(
    "/ladder",
    {
      config: VIEW,
      schema: {
        summary: "Every rung: its recipes, its versions with their figures, and which one is live",
        response: { 200: Ladder, ...ERROR_RESPONSES },
      },
    },
    async () => {
      const [live, versions, findings, looks] = await Promise.all([
        deps.registry.live(),
        deps.registry.versions(),
        deps.findings.all(),
        deps.looks.latest(),
      ]);
      const lastDecisions = await deps.decisions.lastOnClimb(versions.map(({ version }) => version));
      const entry = async (record: VersionRecord) => ({
        ...record,
        live: record.version === live?.version,
        ...(await figuresOf(record.version)),
        diagnosis: diagnosisOf(findings.get(record.version)),
        lastDecision: lastDecisions.get(record.version) ?? null,
        lastLook: looks.find(({ challenger }) => challenger === record.version) ?? null,
      });
      const phases = PHASES.map(async ({ phase, name, summary }) => {
        const entries = await Promise.all(versions.filter((record) => record.phase === phase).map(entry));
        return {
          phase,
          name,
          summary,
          live: entries.some((version) => version.live),
          recipes: RECIPES.filter((recipe) => recipe.phase === phase).map((recipe) => ({
            name: recipe.name,
            summary: recipe.summary,
            params: recipe.schema,
          })),
          versions: entries,
        };
      });
      const forecasts = live === null ? [] : await deps.forecasts.over(live.version);
      const holdback = deps.holdback.isOn ? await deps.holdbackLog.status() : null;
      return { live, forecasts: [...forecasts], holdback, phases: await Promise.all(phases) };
    },
  );
}

function diagnosisOf(findings: Findings | undefined): string | null {
  const found = findings?.diagnosis;
  if (found === undefined || found.diagnosis === null) return null;
  return `it looks like ${DIAGNOSIS_WORDS[found.diagnosis]}`;
}
