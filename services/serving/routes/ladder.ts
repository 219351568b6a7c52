import Type from "typebox";
import type { Findings } from "../../../models/card/findings.ts";
import type { EvaluationSummary } from "../../../models/evaluation/report.ts";
import { DIAGNOSIS_WORDS } from "../../../models/gate/diagnosis.ts";
import { PHASES, RECIPES } from "../../../models/phases.ts";
import { LivePointer, VersionRecord } from "../../registry/types.ts";
import type { App, ServingDeps } from "../deps.ts";
import { PUBLIC } from "../plugins/auth.ts";
import { ERROR_RESPONSES } from "../schemas.ts";

const LadderView = Type.Object({
  live: Type.Union([LivePointer, Type.Null()]),
  phases: Type.Array(
    Type.Object({
      phase: Type.Integer(),
      name: Type.String(),
      summary: Type.String(),
      live: Type.Boolean(),
      recipes: Type.Array(
        Type.Object({ name: Type.String(), summary: Type.String(), params: Type.Unknown() }),
      ),
      versions: Type.Array(
        Type.Object({
          ...VersionRecord.properties,
          live: Type.Boolean(),
          offline: Type.Unknown({ description: "offline evaluation, null when the artifact is not here" }),
          cost: Type.Unknown({ description: "what training and a recommendation cost" }),
          diagnosis: Type.Union([Type.String(), Type.Null()], {
            description:
              "what it looks like when it does not pay, in a few words, or null; the model card has the evidence",
          }),
          lastDecision: Type.Unknown({ description: "the gate's last word on its climb, or null" }),
          lastLook: Type.Union(
            [
              Type.Object({
                about: Type.String(),
                at: Type.String(),
                baseline: Type.String(),
                verdict: Type.String(),
                users: Type.Integer(),
                sentence: Type.String(),
              }),
              Type.Null(),
            ],
            { description: "where its running comparison stands, as the judge saw it last, or null" },
          ),
        }),
      ),
    }),
  ),
});

export function ladderRoutes(app: App, deps: ServingDeps): void {
  /** Manifests are immutable, so each is read once. */
  const known = new Map<string, { offline: EvaluationSummary; cost: unknown }>();
  const figuresOf = async (
    version: string,
  ): Promise<{ offline: EvaluationSummary | null; cost: unknown }> => {
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
      config: PUBLIC,
      schema: {
        summary: "Every rung: its recipes, its versions with their figures, and which one is live",
        response: { 200: LadderView, ...ERROR_RESPONSES },
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
      return { live, phases: await Promise.all(phases) };
    },
  );
}

function diagnosisOf(findings: Findings | undefined): string | null {
  const found = findings?.diagnosis;
  if (found === undefined || found.diagnosis === null) return null;
  return `it looks like ${DIAGNOSIS_WORDS[found.diagnosis]}`;
}
