import Type, { type Static } from "typebox";
import type { App, ServingDeps } from "../deps.ts";
import { metricsPage } from "../metrics-page.ts";
import { OPEN, VIEW } from "../plugins/auth.ts";
import { redisState } from "../redis-state.ts";
import { ERROR_RESPONSES, LiveModelView } from "../schemas.ts";
import { NOTHING_LIVE } from "../trouble.ts";

const ALWAYS = { ...OPEN, neverRefused: true } as const;

export const Readiness = Type.Object({
  ready: Type.Boolean(),
  why: Type.String(),
  model: Type.Union([LiveModelView, Type.Null()]),
  epoch: Type.Union([Type.Integer(), Type.Null()]),
  canary: Type.Union([
    Type.Object({
      version: Type.String(),
      share: Type.Number(),
      setAside: Type.Boolean({ description: "it failed too often here; the live version answers" }),
    }),
    Type.Null(),
  ]),
  redis: Type.Enum(["up", "late", "down", "unfit"], {
    type: "string",
    description: "late: it answers, but not within a request's time; unfit: it answers, and must not be used",
  }),
  workers: Type.Union([Type.Object({ alive: Type.Integer(), otherCode: Type.Integer() }), Type.Null()], {
    description: "workers whose heart beats, and those of them that run other code; null while Redis is away",
  }),
  problems: Type.Array(Type.String(), {
    description: "what is wrong with what the service stands on, each with its remedy",
  }),
  catalogueItems: Type.Integer(),
});
export type Readiness = Readonly<Static<typeof Readiness>>;

export function healthRoutes(app: App, deps: ServingDeps): void {
  app.get(
    "/healthz",
    {
      config: ALWAYS,
      schema: {
        summary: "The process runs",
        response: { 200: Type.Object({ status: Type.Literal("ok") }), ...ERROR_RESPONSES },
      },
    },
    async () => ({ status: "ok" as const }),
  );

  app.get(
    "/readyz",
    {
      config: ALWAYS,
      schema: {
        summary: "A model is loaded; without Redis a replica stays ready, and says so",
        response: { 200: Readiness, 503: Readiness, ...ERROR_RESPONSES },
      },
    },
    async (_request, reply) => {
      const readiness = readinessOf(deps, app.draining.value);
      return await reply.status(readiness.ready ? 200 : 503).send(readiness);
    },
  );

  app.get(
    "/status",
    {
      config: { ...VIEW, neverRefused: true },
      schema: {
        summary: "The same as /readyz, whether ready or not",
        response: { 200: Readiness, ...ERROR_RESPONSES },
      },
    },
    async () => readinessOf(deps, app.draining.value),
  );

  if (!deps.metricsApart) {
    const page = metricsPage(deps);
    app.get(
      "/metrics",
      {
        config: { ...VIEW, neverRefused: true },
        schema: { summary: "Figures for Prometheus", response: { 200: Type.String(), ...ERROR_RESPONSES } },
      },
      async (_request, reply) => await reply.type(page.contentType).send(await page.text()),
    );
  }

  app.get("/", { config: OPEN, schema: { hide: true } }, async () => ({
    service: "phasewise",
    docs: "/docs",
    try: ["/recommend?k=10", "/ladder", "/readyz"],
  }));
}

function readinessOf(deps: ServingDeps, draining: boolean): Readiness {
  const { lineup, broken, canarySetAside, trouble } = deps.live;
  const { workers, problems } = deps.surroundings();
  const why = draining
    ? "the process is stopping"
    : (trouble ??
      (lineup === null
        ? NOTHING_LIVE
        : broken
          ? "the live model is set aside after failing; the one before answers"
          : "a model is loaded"));
  const canary = lineup?.canary ?? null;
  return {
    ready: lineup !== null && !draining,
    why,
    model:
      lineup === null
        ? null
        : { version: lineup.live.version, phase: lineup.live.phase, recipe: lineup.live.recipe },
    epoch: lineup?.epoch ?? null,
    canary:
      canary === null
        ? null
        : { version: canary.model.version, share: canary.share, setAside: canarySetAside },
    redis: redisState(deps),
    workers,
    problems: [...(trouble === null ? [] : [trouble]), ...problems],
    catalogueItems: deps.catalogue.current.size,
  };
}
