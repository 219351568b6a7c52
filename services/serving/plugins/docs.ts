import helmet from "@fastify/helmet";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { App } from "../deps.ts";
import { OPEN } from "./auth.ts";

/** The API describes itself: `/openapi.json` from the route schemas, pages at `/docs`, all served from here. */
export async function describeApi(app: App, version: string): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: { directives: { upgradeInsecureRequests: null, imgSrc: ["'self'", "data:"] } },
    strictTransportSecurity: false,
  });
  await app.register(swagger, {
    openapi: {
      info: {
        title: "Phasewise",
        description: "Recommendations from the best model that has proved itself.",
        version,
      },
      components: { securitySchemes: { key: { type: "http", scheme: "bearer" } } },
    },
    transform: ({ schema, url, route }) => {
      const security = route.config?.access === "open" ? [] : [{ key: [] }];
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
