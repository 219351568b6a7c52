import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import Fastify from "fastify";
import type { App } from "../../services/serving/deps.ts";
import { authenticate, authorize, OPERATE, VIEW } from "../../services/serving/plugins/auth.ts";

/** The first part of the API, to which a test adds its routes. */
function guarded(): App {
  const app: App = Fastify().withTypeProvider<TypeBoxTypeProvider>();
  authenticate(app, {
    keys: { find: () => null },
    openToVisitors: () => true,
    limits: { failedKey: () => {} },
    now: Date.now,
  });
  authorize(app);
  return app;
}

describe("a route that does not say what it asks of its caller", () => {
  it("keeps the service from starting, which names the route and the remedy", async () => {
    const app = guarded();
    app.get("/declared", { config: VIEW }, async () => "figures");
    app.post("/forgotten", async () => "done");
    await assert.rejects(
      async () => await app.ready(),
      /POST \/forgotten: expected the route to declare its access, got none; give it one of the constants/,
    );
  });

  it("does so wherever it was added", async () => {
    const app = guarded();
    await app.register(async (group) => {
      group.get("/forgotten-too", { config: {} }, async () => "done");
    });
    await assert.rejects(async () => await app.ready(), /GET \/forgotten-too/);
  });

  it("is the only one that does: with all declared the service starts, and strangers get what is theirs", async () => {
    const app = guarded();
    app.get("/figures", { config: VIEW }, async () => "figures");
    app.get("/levers", { config: OPERATE }, async () => "levers");
    await app.ready();
    assert.equal((await app.inject("/figures")).statusCode, 200);
    assert.equal((await app.inject("/levers")).statusCode, 401);
    await app.close();
  });
});
