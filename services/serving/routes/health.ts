import Type from "typebox";
import type { App, ServingDeps } from "../deps.ts";
import { OPEN } from "../plugins/auth.ts";
import { LiveModelView } from "../schemas.ts";

const ALWAYS = { ...OPEN, neverRefused: true } as const;

export function healthRoutes(app: App, deps: ServingDeps): void {
  app.get(
    "/healthz",
    {
      config: ALWAYS,
      schema: {
        summary: "The process runs",
        response: { 200: Type.Object({ status: Type.Literal("ok") }) },
      },
    },
    async () => ({ status: "ok" as const }),
  );

  const Readiness = Type.Object({
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
    redis: Type.String(),
    catalogueItems: Type.Integer(),
  });
  app.get(
    "/readyz",
    {
      config: ALWAYS,
      schema: {
        summary: "A model is loaded; without Redis a replica stays ready, and says so",
        response: { 200: Readiness, 503: Readiness },
      },
    },
    async (_request, reply) => {
      const lineup = deps.live.lineup;
      const draining = app.draining.value;
      const ready = lineup !== null && !draining;
      const why = draining
        ? "the process is stopping"
        : lineup === null
          ? "no model is live yet: train and promote a phase-1 model"
          : deps.live.broken
            ? "the live model is set aside after failing; the one before answers"
            : "a model is loaded";
      return await reply.status(ready ? 200 : 503).send({
        ready,
        why,
        model:
          lineup === null
            ? null
            : { version: lineup.live.version, phase: lineup.live.phase, recipe: lineup.live.recipe },
        epoch: lineup?.epoch ?? null,
        canary:
          lineup === null || lineup.canary === null
            ? null
            : {
                version: lineup.canary.model.version,
                share: lineup.canary.share,
                setAside: deps.live.canarySetAside,
              },
        redis: deps.redisUp() && deps.histories.answering ? "up" : "down",
        catalogueItems: deps.catalogue.current.size,
      });
    },
  );

  app.get(
    "/metrics",
    { config: ALWAYS, schema: { summary: "Figures for Prometheus", response: { 200: Type.String() } } },
    async (_request, reply) => {
      const { registry, frozen, canaryShare } = deps.metrics;
      const canary = deps.live.lineup?.canary ?? null;
      canaryShare.reset();
      if (canary !== null) canaryShare.set({ version: canary.model.version }, canary.share);
      // Without Redis the gauge keeps what was last known: an alert must not end because nobody can be asked.
      await deps.registry.freeze().then(
        (freeze) => frozen.set(freeze === null ? 0 : 1),
        () => {},
      );
      return await reply.type(registry.contentType).send(await registry.metrics());
    },
  );

  app.get("/", { config: OPEN, schema: { hide: true } }, async () => ({
    service: "phasewise",
    docs: "/docs",
    try: ["/recommend?k=10", "/ladder", "/readyz"],
  }));
}
