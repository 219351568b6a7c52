import type { ServerResponse } from "node:http";
import type { App } from "../deps.ts";

/** How often unread replies are looked at, milliseconds. */
const SWEEP_MS = 500;

/**
 * A reply must be read within a time, else its connection is cut. The time is for the whole reply: a client that reads a
 * byte now and then does not begin it anew.
 */
export function cutSlowReaders(app: App, writeTimeoutMs: number, onCut: () => void): void {
  const unread = new Map<ServerResponse, number>();
  app.addHook("onSend", async (_request, reply) => {
    unread.set(reply.raw, performance.now());
  });
  app.addHook("onResponse", async (_request, reply) => {
    unread.delete(reply.raw);
  });
  const sweep = setInterval(() => {
    const tooOld = performance.now() - writeTimeoutMs;
    for (const [reply, since] of unread) {
      // A client that went away ends its reply without `onResponse`.
      if (!reply.writableFinished && !reply.destroyed && since > tooOld) continue;
      unread.delete(reply);
      if (reply.writableFinished || reply.destroyed) continue;
      reply.destroy();
      onCut();
    }
  }, SWEEP_MS);
  sweep.unref();
  app.addHook("onClose", async () => clearInterval(sweep));
}
