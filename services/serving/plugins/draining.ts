import type { App } from "../deps.ts";

declare module "fastify" {
  interface FastifyInstance {
    /** Set once the process is about to stop: replies then close their connections. */
    draining: { value: boolean };
  }
}

/**
 * A keep-alive connection would hold the server open, and cutting it could lose a request already on its way.
 * So once draining, each connection is closed by the last reply it carries.
 */
export function closeConnectionsWhenDraining(app: App): void {
  app.decorate("draining", { value: false });
  app.addHook("onSend", async (_request, reply) => {
    if (app.draining.value) reply.header("connection", "close");
  });
}
