import Type from "typebox";
import { modelCard } from "../../../models/card.ts";
import { PhasewiseError } from "../../errors.ts";
import type { App, ServingDeps } from "../deps.ts";
import { PUBLIC } from "../plugins/auth.ts";
import { ERROR_RESPONSES, Version, VersionRecordView } from "../schemas.ts";

export function modelRoutes(app: App, deps: ServingDeps): void {
  app.get(
    "/models",
    {
      config: PUBLIC,
      schema: {
        summary: "Every version ever registered",
        response: { 200: Type.Object({ versions: Type.Array(VersionRecordView) }), ...ERROR_RESPONSES },
      },
    },
    async () => ({ versions: [...(await deps.registry.versions())] }),
  );

  app.get(
    "/models/:version",
    {
      config: PUBLIC,
      schema: {
        summary: "One version: its record, its manifest, its model card",
        params: Type.Object({ version: Version }, { additionalProperties: false }),
        response: {
          200: Type.Object({
            record: VersionRecordView,
            manifest: Type.Unknown(),
            card: Type.String({ description: "the model card, Markdown" }),
          }),
          ...ERROR_RESPONSES,
        },
      },
    },
    async (request) => {
      const { version } = request.params;
      const record = await deps.registry.version(version);
      if (record === null) throw unknownVersion(version);
      const { manifest } = await deps.artifacts.manifest(version);
      return { record, manifest, card: modelCard(manifest) };
    },
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
