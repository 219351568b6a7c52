import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { App } from "../deps.ts";
import { OPEN, USER_TOKEN } from "./auth.ts";

/** The API describes itself: `/openapi.json` from the route schemas, pages at `/docs`, all served from here. */
export async function describeApi(app: App, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      // JSON Schema as the routes state it is that of 3.1: in 3.0 `exclusiveMinimum` is a boolean.
      openapi: "3.1.0",
      info: {
        title: "Phasewise",
        description: "Recommendations from the best model that has proved itself.",
        version,
      },
      components: {
        securitySchemes: {
          key: { type: "http", scheme: "bearer" },
          userToken: {
            type: "apiKey",
            in: "header",
            name: USER_TOKEN,
            description: "beside a publishable key: a JWT of the site's back end, which says who the user is",
          },
        },
      },
    },
    transform: ({ schema, url, route }) => {
      const access = route.config?.access;
      const byToken = access === "serve" || access === "ingest" ? [{ key: [], userToken: [] }] : [];
      const security = access === "open" ? [] : [{ key: [] }, ...byToken];
      return { schema: { ...schema, security }, url };
    },
  });
  await app.register(async (docs) => {
    docs.addHook("onRoute", (route) => {
      route.config = { ...route.config, ...OPEN };
    });
    await docs.register(swaggerUi, { routePrefix: "/docs", validatorUrl: false });
  });
  let description: string | undefined;
  app.get("/openapi.json", { config: OPEN, schema: { hide: true } }, async (_request, reply) => {
    description ??= JSON.stringify(app.swagger());
    return await reply.type("application/json; charset=utf-8").send(description);
  });
}
