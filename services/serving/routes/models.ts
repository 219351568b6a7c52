import Type, { type Static } from "typebox";
import type { Manifest } from "../../../models/artifact/manifest.ts";
import { type ModelCard, modelCard } from "../../../models/card/card.ts";
import { cardMarkdown } from "../../../models/card/card-markdown.ts";
import type { Standing } from "../../../models/card/standing.ts";
import { isImported } from "../../../models/factorization/imported.ts";
import { isRemote } from "../../../models/remote/remote.ts";
import { PhasewiseError } from "../../errors.ts";
import type { DecisionSummary } from "../../registry/decision-summary.ts";
import { VersionRecord } from "../../registry/types.ts";
import type { App, ServingDeps } from "../deps.ts";
import { OPERATE, VIEW } from "../plugins/auth.ts";
import { ERROR_RESPONSES, Version } from "../schemas.ts";
import { JobAdded } from "./jobs.ts";

/** An operator who asks for an analysis wants all of it; a network that trains for hours needs another word. */
const ASKED_FOR_BUDGET_SECONDS = 3600;

export const Models = Type.Object({ versions: Type.Array(VersionRecord) });
export type Models = Readonly<Static<typeof Models>>;

export const ModelView = Type.Object({
  record: VersionRecord,
  manifest: Type.Unsafe<Manifest>({ description: "what was stored beside its arrays" }),
  modelCard: Type.Unsafe<ModelCard>({ description: "the model card: facts, figures and findings" }),
  card: Type.String({ description: "the same in Markdown" }),
});
export type ModelView = Readonly<Static<typeof ModelView>>;

export function modelRoutes(app: App, deps: ServingDeps): void {
  app.get(
    "/models",
    {
      config: VIEW,
      schema: {
        summary: "Every version ever registered",
        response: { 200: Models, ...ERROR_RESPONSES },
      },
    },
    async () => ({ versions: [...(await deps.registry.versions())] }),
  );

  app.get(
    "/models/:version",
    {
      config: VIEW,
      schema: {
        summary: "One version: its record, its manifest, its model card",
        params: Type.Object({ version: Version }, { additionalProperties: false }),
        response: {
          200: ModelView,
          ...ERROR_RESPONSES,
        },
      },
    },
    async (request) => {
      const { version } = request.params;
      const record = await deps.registry.version(version);
      if (record === null) throw unknownVersion(version);
      const { manifest } = await deps.artifacts.manifest(version);
      const [findings, decisions] = await Promise.all([
        deps.findings.get(version),
        deps.decisions.summaries({ challenger: version, limit: 1 }),
      ]);
      const { state, reason: why } = record;
      const card = modelCard(manifest, findings, { state, reason: why, verdict: verdictOf(decisions[0]) });
      return { record, manifest, modelCard: card, card: cardMarkdown(card) };
    },
  );

  app.post(
    "/models/:version/analyse",
    {
      config: OPERATE,
      schema: {
        summary: "Measures levers, learning curve and diagnosis for the model card, in the background",
        params: Type.Object({ version: Version }, { additionalProperties: false }),
        body: Type.Object(
          {
            budgetSeconds: Type.Optional(
              Type.Number({
                exclusiveMinimum: 0,
                maximum: 1_000_000,
                description: "seconds of training beyond which parts are left out (default 3600)",
              }),
            ),
          },
          { additionalProperties: false, description: "a JSON object {budgetSeconds?}" },
        ),
        response: { 202: JobAdded, ...ERROR_RESPONSES },
      },
    },
    async (request, reply) => {
      const { version } = request.params;
      const record = await deps.registry.version(version);
      if (record === null) throw unknownVersion(version);
      if (isImported(record.recipe) || isRemote(record.recipe)) throw untrainable(version);
      const { budgetSeconds = ASKED_FOR_BUDGET_SECONDS } = request.body;
      const jobId = await deps.producers.addAnalysis({ version, budgetSeconds }, deps.now());
      return await reply.status(202).send({ jobId });
    },
  );
}

function verdictOf(decision: DecisionSummary | undefined): Standing["verdict"] {
  if (decision === undefined) return null;
  const { id, about, at, baseline, sentence } = decision;
  return { id, about, at, baseline, sentence };
}

function untrainable(version: string): PhasewiseError {
  return new PhasewiseError(
    "CONFLICT",
    `analyse ${version}: expected a version that was trained here, got one trained elsewhere; an analysis fits a recipe anew, so let the shadow judge this one`,
  );
}

export function unknownVersion(version: string): PhasewiseError {
  return new PhasewiseError(
    "NOT_FOUND",
    `version: expected a registered version, got "${version}"; see /models`,
    {
      field: "version",
    },
  );
}
