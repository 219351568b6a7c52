import type { App } from "../deps.ts";

declare module "fastify" {
  interface FastifyInstance {
    draining: {
      /** Set once the process is about to stop: a load balancer learns it from `/readyz`. */
      value: boolean;
      /** Set once nobody listens any more: replies then close their connections. */
      lastReplies: boolean;
    };
  }
}

/**
 * A keep-alive connection would hold the server open, and cutting it could lose a request already on its way. So each
 * connection is closed by the last reply it carries. Not while new ones are still taken: clients would open them at the
 * very moment at which the server stops listening, and be reset.
 */
export function closeConnectionsWhenDraining(app: App): void {
  const draining = { value: false, lastReplies: false };
  app.decorate("draining", draining);
  app.addHook("onSend", (_request, reply, _payload, done) => {
    if (draining.lastReplies) reply.header("connection", "close");
    done();
  });
}
