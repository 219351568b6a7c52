/** Child process for the kill tests: promotes one new version after the other and says each step it takes. */
import { connectRedis } from "../../services/redis.ts";
import { redisRegistry } from "../../services/registry/registry.ts";
import { manifestOf } from "./manifest.ts";

const [url, prefix] = process.argv.slice(2);
const redis = connectRedis({ redisUrl: url }, "patient", () => {});
const registry = redisRegistry(redis);
const say = (step: string): void => {
  process.send?.(step);
};

for (let n = 0; ; n++) {
  const version = `${prefix}-${n}`;
  say("register");
  await registry.register(manifestOf(version), "m", "promoter");
  const live = await registry.live();
  say("promote");
  await registry.promote({
    version,
    expectedLive: live?.version ?? null,
    reason: "a kill test",
    actor: "promoter",
    force: true,
  });
  say("promoted");
}
