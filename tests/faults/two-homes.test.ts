import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Redis } from "ioredis";
import type { Installation } from "../../services/config.ts";
import { requireRedis } from "../../services/health/require-redis.ts";
import { type PrivateRedis, startRedis } from "../support/redis.ts";
import { startService } from "../support/service.ts";

describe("two homes on one Redis", () => {
  let redis: PrivateRedis;
  let raw: Redis;
  const homes: string[] = [];

  const newHome = async (): Promise<string> => {
    const home = await mkdtemp(join(tmpdir(), "phasewise-home-"));
    homes.push(home);
    return home;
  };
  const at = (stateFolder: string, prefix = "shop"): Installation => ({
    redisUrl: redis.url,
    prefix,
    stateFolder,
  });
  const idOf = (home: string) => readFile(join(home, "installation-id"), "utf8");

  before(async () => {
    redis = await startRedis();
    raw = new Redis(redis.url);
  });
  after(async () => {
    raw.disconnect();
    await redis.stop();
    for (const home of homes) await rm(home, { recursive: true, force: true });
  });

  it("get one id each, however many processes start a home at the same time", async () => {
    const home = await newHome();
    await Promise.all(Array.from({ length: 10 }, () => requireRedis(at(home))));
    assert.equal(await raw.get("{shop}:installation"), (await idOf(home)).trim());
    await requireRedis(at(home));
  });

  it("with the same prefix are refused with the lines to run, each of which helps", async () => {
    const [first, second] = [homes[0], await newHome()];
    const refused = await requireRedis(at(second)).then(
      () => "",
      (error: Error) => error.message,
    );
    assert.match(refused, /expected what is under the prefix "shop" to be of this home/);
    await assert.rejects(idOf(second), { code: "ENOENT" }, "nothing is left in the home that was refused");
    await requireRedis(at(second, "shop-2"));
    await requireRedis(at(first));

    const third = await newHome();
    const [, id, file] = /run: echo (\w+) > (\S+)$/.exec(refused.replace(second, third)) ?? [];
    await writeFile(file, `${id}\n`);
    await requireRedis(at(third));
  });

  it("of which one has the models that Redis names: the other may not be the first to take it", async () => {
    const [empty, full] = [await newHome(), await newHome()];
    await raw.hset("{old}:registry:facts", "als-0123456789ab", "{}");
    await assert.rejects(
      requireRedis(at(empty, "old")),
      /expected models in .*, got none; set PHASEWISE_HOME/,
    );
    const service = await startService({}, { shared: { redis, prefix: "old" } });
    await assert.rejects(service.startApi(), /expected models in/);
    await assert.rejects(service.startWorker(), /expected models in/);
    const { code, stderr } = await service.cli(["compact"]);
    assert.equal(code, 5);
    assert.match(stderr, /expected models in/);
    await service.stop();
    await mkdir(join(full, "artifacts", "als-0123456789ab"), { recursive: true });
    await requireRedis(at(full, "old"));
  });

  it("are told apart when Redis comes back empty: it is its home's again", async () => {
    const home = homes[0];
    await raw.del("{shop}:installation");
    await requireRedis(at(home));
    assert.equal(await raw.get("{shop}:installation"), (await idOf(home)).trim());
  });
});
