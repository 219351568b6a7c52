import { beforeEach } from "node:test";
import type { Redis } from "ioredis";
import type { VersionState } from "../../../models/gate/states.ts";
import type { Phase } from "../../../models/recipe.ts";
import { type RedisRegistry, redisRegistry } from "../../../services/registry/registry.ts";
import type { LivePointer, RollbackResult, VersionRecord } from "../../../services/registry/types.ts";
import { manifestOf } from "../../support/manifest.ts";
import type { PrivateRedis } from "../../support/redis.ts";
import { redisSuite } from "../../support/redis-suite.ts";

export const HOUR_MS = 3_600_000;

/** An empty registry for each test of a suite, over a Redis of the suite's own. */
export interface RegistryRig {
  readonly server: PrivateRedis;
  readonly redis: Redis;
  /** May be replaced by one with other options. */
  registry: RedisRegistry;
  /** Epoch milliseconds: what the registry takes for now. */
  clock: number;
  register(version: string, phase?: Phase): Promise<VersionRecord>;
  /** From state to state, as the judge moves it. */
  climb(version: string, ...states: VersionState[]): Promise<void>;
  eligible(version: string): Promise<void>;
  promote(version: string, expectedLive: string | null, force?: boolean): Promise<LivePointer>;
  rollback(expectedLive?: string, automatic?: boolean): Promise<RollbackResult>;
  stateOf(version: string): Promise<VersionState | undefined>;
  /** floor → A → B, with B live and A previous. */
  climbTwice(): Promise<void>;
}

/** To be called in a `describe`: starts and stops with its suite. */
export function registryRig(): RegistryRig {
  const suite = redisSuite();
  let registry: RedisRegistry;
  beforeEach(async () => {
    await suite.redis.flushall();
    registry = redisRegistry(suite.redis, { now: () => rig.clock });
  });

  const rig: RegistryRig = {
    get server() {
      return suite.server;
    },
    get redis() {
      return suite.redis;
    },
    get registry() {
      return registry;
    },
    set registry(other) {
      registry = other;
    },
    clock: Date.UTC(2026, 0, 1),
    register: (version, phase = 2) =>
      registry.register(manifestOf(version, phase), "m".repeat(64), "trainer"),
    climb: async (version, ...states) => {
      for (const state of states) {
        const current = (await registry.version(version))?.state as VersionState;
        await registry.transition(version, [current], state, "as the test asks", "judge");
      }
    },
    eligible: async (version) => {
      await rig.register(version);
      await rig.climb(version, "SCREENED", "SHADOWING", "ELIGIBLE");
    },
    promote: (version, expectedLive, force = false) =>
      registry.promote({ version, expectedLive, reason: "it is better", actor: "judge", force }),
    rollback: (expectedLive, automatic = false) =>
      registry.rollback({ expectedLive, reason: "it fails", actor: "watch", automatic }),
    stateOf: async (version) => (await registry.version(version))?.state,
    climbTwice: async () => {
      await rig.register("floor", 1);
      await rig.promote("floor", null);
      await rig.eligible("a");
      await rig.promote("a", "floor");
      await rig.eligible("b");
      await rig.promote("b", "a");
    },
  };
  return rig;
}
