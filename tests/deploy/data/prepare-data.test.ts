import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { prepareData } from "../../../deploy/data/prepare-data.ts";
import { openContext } from "../../../jobs/context.ts";
import { compact } from "../../../jobs/upkeep/compact.ts";
import { erase } from "../../../jobs/upkeep/erase.ts";
import { itemId, userId } from "../../../models/data/ids.ts";
import { loadConfig } from "../../../services/config.ts";
import { PhasewiseError } from "../../../services/errors.ts";
import { appendToSnapshot } from "../../../services/interactions/compaction.ts";
import { redisEventLog } from "../../../services/interactions/event-log.ts";
import { readSnapshot } from "../../../services/interactions/snapshot.ts";
import { openStores } from "../../../services/storage/open-store.ts";
import { redisSuite } from "../../support/redis-suite.ts";

const HEADER = "userId,movieId,rating,timestamp\n";
const DAY = 1_600_000_000;
/** Four users on five items; each row from its numbers. */
const rows = (through: number, without = 0): string =>
  Array.from({ length: through }, (_, n) => [1 + (n % 4), 1 + (n % 5), 4, DAY + n] as const)
    .filter(([user]) => user !== without)
    .map((row) => row.join(","))
    .join("\n");

describe("an import over an installation", () => {
  const suite = redisSuite();
  let home: string;
  let root: string;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), "phasewise-prepare-"));
  });
  after(() => rm(root, { recursive: true, force: true }));
  beforeEach(async () => {
    await suite.redis.flushall();
    home = await mkdtemp(join(root, "home-"));
  });

  async function importing(content: string, mode?: "replace" | "append" | "anew") {
    const data = join(await mkdtemp(join(root, "data-")), "ratings.csv");
    await writeFile(data, content);
    const config = loadConfig({}, { dataFolder: data, stateFolder: home, redisUrl: suite.server.url });
    return { config, prepared: await prepareData(config, { cut: null, say: () => {}, mode }) };
  }

  const historyOf = async (user: string): Promise<readonly string[]> =>
    (await redisEventLog(suite.redis).history(userId(user))).entries.map((entry) => entry.itemId);

  test("replaces what was imported before; who is gone is gone; what users did live stays, folded in or not", async () => {
    const { config } = await importing(HEADER + rows(20));
    assert.equal((await historyOf("1")).length, 5);
    const log = redisEventLog(suite.redis);
    const live = (eventId: string, item: string, timestamp: number) => ({
      eventId,
      userId: userId("1"),
      itemId: itemId(item),
      type: "watch",
      timestamp,
    });
    const folded = live("e1", "3", (DAY + 900) * 1000);
    await log.append([folded, live("e2", "4", (DAY + 901) * 1000)], Date.now());
    await appendToSnapshot(openStores(config).snapshot, [folded], { now: Date.now(), userEvents: 5000 });

    const { prepared } = await importing(HEADER + rows(24, 3));
    assert.deepEqual(await historyOf("1"), ["1", "5", "4", "3", "2", "1", "3", "4"]);
    assert.deepEqual(await historyOf("3"), []);
    const snapshot = await readSnapshot(openStores(config).snapshot);
    assert.equal(snapshot?.log.timestamps.length, 19);
    assert.ok(!snapshot?.log.users.has(userId("3")));
    const { added, removed, usersGone, live: kept } = prepared.summary;
    assert.deepEqual([added, removed, usersGone, kept], [3, 5, 1, 1]);
    assert.match(prepared.lines.join("\n"), /3 events new, 5 gone, 1 users gone; 1 live events stay/);
  });

  test("the same import again changes nothing", async () => {
    await importing(HEADER + rows(20));
    const { prepared } = await importing(HEADER + rows(20));
    assert.deepEqual([prepared.summary.added, prepared.summary.removed, prepared.summary.seeded], [0, 0, 0]);
  });

  test("leaves out what an erased user did before, however often the same file comes; what he does later is taken", async () => {
    const { config } = await importing(HEADER + rows(20));
    const context = await openContext(config);
    await erase(context, "2");
    const { prepared } = await importing(HEADER + rows(20));
    assert.match(prepared.lines.join("\n"), /5 events of 1 users stay out: they happened before/);
    assert.deepEqual([await historyOf("2"), (await historyOf("1")).length], [[], 5]);
    assert.ok(!(await readSnapshot(openStores(config).snapshot))?.log.users.has(userId("2")));
    const returned = { eventId: "back", userId: userId("2"), itemId: itemId("3"), type: "watch" };
    await context.events.append([{ ...returned, timestamp: Date.now() }], Date.now());
    await importing(HEADER + rows(24));
    assert.deepEqual(await historyOf("2"), ["3"]);
    await context.close();
  });

  test("two imports and a compaction at once take turns, and leave a snapshot of all three", async () => {
    const { config } = await importing(HEADER + rows(20));
    const context = await openContext(config);
    const event = { eventId: "e1", userId: userId("2"), itemId: itemId("5"), type: "watch" };
    await context.events.append([{ ...event, timestamp: (DAY + 900) * 1000 }], Date.now());
    await Promise.all([
      importing(`${HEADER}1,77,5,${DAY + 500}\n`, "append"),
      compact(context),
      importing(`${HEADER}9,78,5,${DAY + 501}\n`, "append"),
    ]);
    await context.close();
    const log = (await readSnapshot(openStores(config).snapshot))?.log;
    assert.ok(log !== undefined);
    assert.deepEqual(
      [log.timestamps.length, log.users.has(userId("9")), log.items.has(itemId("77"))],
      [23, true, true],
    );
    assert.deepEqual(await historyOf("9"), ["78"]);
  });

  test("--append adds to it", async () => {
    await importing(HEADER + rows(20));
    await importing(`${HEADER}1,77,5,${DAY + 500}\n9,78,5,${DAY + 501}\n`, "append");
    assert.deepEqual(await historyOf("1"), ["1", "5", "4", "3", "2", "77"]);
    assert.deepEqual(await historyOf("9"), ["78"]);
  });

  test("other data is refused with what to do, or begins anew", async () => {
    await importing(HEADER + rows(20));
    const other = `user,item,time\n${rows(20).replaceAll(/^(\d+),(\d+),4/gm, "u$1,sku-$2")}\n`;
    const refused = await importing(other).then(
      () => assert.fail("expected a refusal"),
      (error: unknown) => error,
    );
    assert.ok(refused instanceof PhasewiseError);
    assert.equal(refused.code, "CONFLICT");
    assert.match(
      refused.message,
      /other data: 0 % of the items are the same.*PHASEWISE_HOME.*--append.*--replace/,
    );
    assert.equal((await historyOf("1")).length, 5);

    const { prepared } = await importing(other, "anew");
    assert.deepEqual([(await historyOf("1")).length, (await historyOf("u1")).length], [0, 5]);
    assert.match(prepared.lines.join("\n"), /what was there before was moved to .*replaced-/);
    assert.equal((await readdir(home)).filter((name) => name.startsWith("replaced-")).length, 1);
  });

  test("small numbers are ids of everything: another title says that the data is another", async () => {
    const beside = async (titles: string, content: string, mode?: "replace") => {
      const data = await mkdtemp(join(root, "data-"));
      await writeFile(join(data, "ratings.csv"), content);
      await writeFile(join(data, "movies.csv"), `movieId,title\n${titles}\n`);
      const config = loadConfig({}, { dataFolder: data, stateFolder: home, redisUrl: suite.server.url });
      return prepareData(config, { cut: null, say: () => {}, mode });
    };
    await beside("1,Heat\n2,Babe\n3,Alien\n4,Up\n5,Brazil", HEADER + rows(20));
    await beside("1,Heat\n2,Babe\n3,Alien\n4,Up\n5,Brazil (1985)", HEADER + rows(24));
    await assert.rejects(
      beside("1,Emma\n2,Ulysses\n3,Faust\n4,Momo\n5,Dune", HEADER + rows(20)),
      /100 % of the items with the same id have another title/,
    );
  });
});
