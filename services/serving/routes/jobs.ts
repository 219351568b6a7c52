import Type, { type Static } from "typebox";
import { defaultRecipe, RECIPES } from "../../../models/phases.ts";
import { Phase, type Recipe } from "../../../models/recipe.ts";
import { PhasewiseError } from "../../errors.ts";
import { unknownJob } from "../../queues/producers.ts";
import { JobView } from "../../queues/types.ts";
import type { App, ServingDeps } from "../deps.ts";
import { OPERATE } from "../plugins/auth.ts";
import { ERROR_RESPONSES } from "../schemas.ts";
import { assertValid } from "../validation.ts";

const DEFAULT_SEED = 1;

const RetrainBody = Type.Object(
  {
    phase: Phase,
    recipe: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, description: "a recipe of the phase; see /ladder" }),
    ),
    params: Type.Optional(
      Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), {
        maxProperties: 64,
        description: "an object of the recipe's parameters",
      }),
    ),
    tune: Type.Optional(
      Type.Boolean({ description: "true to search the parameters on validation data first" }),
    ),
    analyse: Type.Optional(
      Type.Boolean({ description: "true to explain the version afterwards, whatever becomes of it" }),
    ),
    seed: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 4_294_967_295, description: "a whole number, 0 to 2^32 - 1" }),
    ),
  },
  {
    additionalProperties: false,
    description: "a JSON object {phase, recipe?, params?, tune?, analyse?, seed?}",
  },
);

const JobParams = Type.Object(
  { id: Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$", description: "a job id" }) },
  { additionalProperties: false },
);

/** What is answered to whoever asked for work in the background. */
export const JobAdded = Type.Object({ jobId: Type.String() });
export type JobAdded = Readonly<Static<typeof JobAdded>>;

export function jobRoutes(app: App, deps: ServingDeps): void {
  app.post(
    "/retrain",
    {
      config: OPERATE,
      schema: {
        summary: "Trains a challenger in the background",
        body: RetrainBody,
        response: { 202: JobAdded, ...ERROR_RESPONSES },
      },
    },
    async (request, reply) => {
      const { phase, recipe: name, params, tune, analyse, seed } = request.body;
      const recipe = recipeOf(phase, name);
      if (params !== undefined) assertValid(recipe.schema, { ...recipe.defaults, ...params }, "params");
      const jobId = await deps.producers.addRetrain(
        {
          phase,
          recipe: recipe.name,
          params,
          tune,
          analyse,
          seed: seed ?? DEFAULT_SEED,
          requestedBy: "operator",
        },
        deps.now(),
      );
      return await reply.status(202).send({ jobId });
    },
  );

  app.get(
    "/jobs/:id",
    {
      config: OPERATE,
      schema: {
        summary: "How a job is doing",
        params: JobParams,
        response: { 200: JobView, ...ERROR_RESPONSES },
      },
    },
    async (request) => {
      const { id } = request.params;
      const job = await deps.producers.job(id);
      if (job === null) throw unknownJob(id);
      return job;
    },
  );

  app.delete(
    "/jobs/:id",
    {
      config: OPERATE,
      schema: {
        summary: "Cancels a job that waits for a worker or for its trials, and the trials with it",
        params: JobParams,
        response: { 200: JobAdded, ...ERROR_RESPONSES },
      },
    },
    async (request) => {
      const { id } = request.params;
      await deps.producers.cancel(id);
      return { jobId: id };
    },
  );
}

function recipeOf(phase: Phase, name: string | undefined): Recipe {
  const ofPhase = RECIPES.filter((recipe) => recipe.phase === phase);
  const [first] = ofPhase;
  if (first === undefined) {
    throw new PhasewiseError("BAD_REQUEST", `phase: expected a phase that holds a recipe, got ${phase}`, {
      field: "phase",
    });
  }
  if (name === undefined) return defaultRecipe(phase);
  const recipe = ofPhase.find((candidate) => candidate.name === name);
  if (recipe === undefined) {
    const known = ofPhase.map((candidate) => candidate.name);
    throw new PhasewiseError(
      "BAD_REQUEST",
      `recipe: expected one of phase ${phase} (${known.join(", ")}), got "${name}"`,
      { field: "recipe", known },
    );
  }
  return recipe;
}
