import { setTimeout as pause } from "node:timers/promises";
import { connectRedis } from "../../../services/redis.ts";
import { redisRegistry } from "../../../services/registry/registry.ts";
import { type Running, type Service, startService } from "../../support/service.ts";
import { raiseSmallLadder } from "../../support/small-ladder.ts";

/** A service with a small model live, whose users have a history each. */
export interface SmallService {
  readonly service: Service;
  readonly api: Running & { readonly url: string };
  readonly users: number;
  readonly authorization: string;
  /** An event of one's own choice; the status, and how long the answer took, milliseconds. */
  feedback(eventId: string): Promise<{ readonly status: number; readonly tookMs: number }>;
}

const USERS = 200;

export async function withSmallService<T>(use: (small: SmallService) => Promise<T>): Promise<T> {
  const service = await startService({});
  const redis = connectRedis(service.config, "patient", () => {});
  try {
    await raiseSmallLadder(service.home, redisRegistry(redis));
    const api = await service.startApi();
    await until(async () => (await fetch(`${api.url}/readyz`)).status === 200);
    const authorization = `Bearer ${service.key}`;
    const post = async (events: readonly object[]) => {
      const startedAt = performance.now();
      const reply = await fetch(`${api.url}/feedback`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization },
        body: JSON.stringify({ events }),
      });
      await reply.arrayBuffer();
      return { status: reply.status, tookMs: performance.now() - startedAt };
    };
    const event = (eventId: string, user: number) => ({
      eventId,
      userId: `u${user}`,
      itemId: "f1",
      type: "watch",
    });
    const everybody = Array.from({ length: USERS }, (_, user) => event(`first-${user}`, user));
    await until(async () => (await post(everybody)).status === 202);
    let sent = 0;
    const feedback = (eventId: string) => post([event(eventId, sent++ % USERS)]);
    return await use({ service, api, users: USERS, authorization, feedback });
  } finally {
    redis.disconnect();
    await service.stop();
  }
}

/** How long it took until the condition held, milliseconds. */
export async function until(condition: () => Promise<boolean>, boundMs = 60_000): Promise<number> {
  const startedAt = performance.now();
  while (performance.now() - startedAt < boundMs) {
    if (await condition().catch(() => false)) return performance.now() - startedAt;
    await pause(5);
  }
  throw new Error(`expected ${condition} within ${boundMs} ms`);
}
