import helmet from "@fastify/helmet";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { App } from "../deps.ts";
import { PUBLIC } from "./auth.ts";

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
      components: { securitySchemes: { adminKey: { type: "http", scheme: "bearer" } } },
    },
    transform: ({ schema, url, route }) => {
      const operator = route.config?.access !== "public";
      const security = operator ? [{ adminKey: [] }] : [];
      return { schema: { ...schema, security }, url };
    },
  });
  await app.register(async (docs) => {
    docs.addHook("onRoute", (route) => {
      route.config = { ...route.config, ...PUBLIC };
    });
    await docs.register(swaggerUi, { routePrefix: "/docs", validatorUrl: false });
  });
  app.get("/openapi.json", { config: PUBLIC, schema: { hide: true } }, async () => app.swagger());
}
