import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { DEFAULT_POLICY } from "../../../models/gate/policy.ts";
import type { Model } from "../../../models/model.ts";
import { PhasewiseError } from "../../../services/errors.ts";
import type { LivePointer, VersionRecord } from "../../../services/registry/types.ts";
import type { BreakerLimits } from "../../../services/serving/breaker.ts";
import { LastLiveFile } from "../../../services/serving/last-live.ts";
import type { Lineup } from "../../../services/serving/lineup.ts";
import { LiveModel, type LiveModelEvents } from "../../../services/serving/live-model.ts";
import { eventually } from "../../support/eventually.ts";
import { type MemoryArtifacts, memoryArtifacts } from "./memory-artifacts.ts";
import { fitSmall, manifestOf } from "./small-world.ts";

const QUERY = { history: [], k: 3 };

/** A pointer that tests move by hand; `away` makes every read fail, as with Redis stopped. */
class HandRegistry {
  pointer: LivePointer | null = null;
  away = false;
  #onChange: ((live: LivePointer | null) => void) | null = null;

  async live(): Promise<LivePointer | null> {
    if (this.away) throw new PhasewiseError("STORE_UNAVAILABLE", "away");
    return this.pointer;
  }
  async version(): Promise<VersionRecord | null> {
    if (this.away) throw new PhasewiseError("STORE_UNAVAILABLE", "away");
    return null;
  }
  async watchLive(onChange: (live: LivePointer | null) => void): Promise<{ close(): Promise<void> }> {
    this.#onChange = onChange;
    return { close: async () => {} };
  }
  announce(live: LivePointer | null): void {
    this.pointer = live;
    this.#onChange?.(live);
  }
}

describe("the live model", () => {
  let artifacts: MemoryArtifacts;
  let registry: HandRegistry;
  let folder: string;
  let popular: string;
  let lately: string;
  let opened: LiveModel[];

  const store = async (model: Model): Promise<string> =>
    (await artifacts.write(model, (file) => manifestOf(model, file))).manifest.version;
  const pointerTo = (version: string, epoch: number, previous: string | null = null): LivePointer => ({
    version,
    lineage: "tests",
    epoch,
    liveEpoch: epoch,
    stack: previous === null ? [] : [previous],
    byRollback: false,
    lastLeft: null,
    canary: null,
    previous,
    floor: popular,
    since: "2026-01-01T00:00:00.000Z",
  });
  const open = (events: LiveModelEvents = {}, limits: Partial<BreakerLimits> = {}): LiveModel => {
    const live = new LiveModel({
      breaker: { ...DEFAULT_POLICY.rollback, ...limits },
      registry,
      artifacts,
      lastLive: new LastLiveFile(join(folder, "last-live.json")),
      events,
      retryMs: 5,
    });
    opened.push(live);
    return live;
  };
  /** A model of a version that passed its smoke test and fails afterwards. */
  const breakModel = (live: LiveModel, what: () => never): void => {
    const { lineup } = live;
    assert.ok(lineup !== null);
    lineup.live.recommender.recommend = what;
  };

  beforeEach(async () => {
    artifacts = memoryArtifacts();
    registry = new HandRegistry();
    folder = await mkdtemp(join(tmpdir(), "phasewise-live-"));
    popular = await store(await fitSmall("popularity"));
    lately = await store(await fitSmall("popular-lately", { halfLifeDays: 30 }));
    opened = [];
  });
  afterEach(async () => {
    for (const live of opened) await live.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("is not ready before the first promotion, and is after it", async () => {
    const live = open();
    await live.start();
    assert.throws(() => live.recommend(QUERY), { code: "NOT_READY" });
    registry.announce(pointerTo(popular, 1));
    await eventually(() => live.lineup !== null);
    const { recommendation, model } = live.recommend(QUERY);
    assert.equal(model.version, popular);
    assert.deepEqual(
      recommendation.items.map(({ itemId }) => itemId),
      ["f1", "f2", "f3"],
    );
  });

  it("keeps previous and floor in memory, so that a rollback loads nothing", async () => {
    const live = open();
    await live.start();
    await live.follow(pointerTo(popular, 1));
    await live.follow(pointerTo(lately, 2, popular));
    artifacts.loads.length = 0;
    await live.follow(pointerTo(popular, 3));
    assert.equal(live.recommend(QUERY).model.version, popular);
    assert.deepEqual(artifacts.loads, []);
  });

  it("never follows a pointer backwards", async () => {
    const live = open();
    await live.start();
    await live.follow(pointerTo(lately, 5, popular));
    await live.follow(pointerTo(popular, 4));
    assert.equal(live.lineup?.live.version, lately);
  });

  it("keeps the old lineup when a version does not load, tells, and tries again", async () => {
    const failures: string[] = [];
    const live = open({ onLoadFailed: (version) => failures.push(version) });
    await live.start();
    await live.follow(pointerTo(popular, 1));
    artifacts.damage(lately, new PhasewiseError("ARTIFACT_REFUSED", "a byte was flipped"));
    await live.follow(pointerTo(lately, 2, popular));
    assert.equal(live.recommend(QUERY).model.version, popular);
    assert.ok(failures.includes(lately));
    artifacts.damage(lately, null);
    await eventually(() => live.lineup?.live.version === lately);
  });

  it("refuses a model whose scores are not finite before it serves anybody", async () => {
    const model = await fitSmall("popularity");
    const poisoned = Float32Array.from(model.floor).fill(Number.NaN, 2, 3);
    const arrays = { popularity: { shape: [poisoned.length], data: poisoned } };
    const broken = await store({ ...model, arrays, seed: 99 });
    const live = open();
    await live.start();
    await live.follow(pointerTo(popular, 1));
    await assert.rejects(live.tryOut(broken), { code: "ARTIFACT_REFUSED" });
    await live.follow(pointerTo(broken, 2, popular));
    assert.equal(live.lineup?.live.version, popular);
  });

  it("answers from the previous version when the live one throws, and counts it", async () => {
    const fallbacks: string[] = [];
    const live = open({ onFallback: (from, to) => fallbacks.push(`${from.version}>${to.version}`) });
    await live.start();
    await live.follow(pointerTo(lately, 2, popular));
    breakModel(live, () => {
      throw new Error("planted");
    });
    assert.equal(live.recommend(QUERY).model.version, popular);
    assert.deepEqual(fallbacks, [`${lately}>${popular}`]);
  });

  it("sets the live model aside after five failures in a row, says so once, and asks it no more", async () => {
    const broken: string[] = [];
    const live = open({ onBroken: (model) => broken.push(model.version) });
    await live.start();
    await live.follow(pointerTo(lately, 2, popular));
    let asked = 0;
    breakModel(live, () => {
      asked++;
      throw new Error("planted");
    });
    for (let request = 0; request < 20; request++) {
      assert.equal(live.recommend(QUERY).model.version, popular);
    }
    assert.equal(asked, 5);
    assert.deepEqual(broken, [lately]);
    await live.follow(pointerTo(popular, 3));
    assert.equal(live.broken, false);
  });

  it("answers from the previous version when the live one is late, and sets it aside when it is so again and again", async () => {
    const broken: string[] = [];
    const fallbacks: string[] = [];
    const took: (number | null)[] = [];
    const live = open(
      {
        onBroken: (_model, why, error) => broken.push(why, String(error)),
        onFallback: (from, to) => fallbacks.push(`${from.version}>${to.version}`),
        onAsked: (elapsedMs) => took.push(elapsedMs),
      },
      { requestTimeoutMs: 0 },
    );
    await live.start();
    await live.follow(pointerTo(lately, 2, popular));
    for (let request = 0; request < 6; request++) assert.equal(live.recommend(QUERY).model.version, popular);
    assert.deepEqual(fallbacks, new Array(6).fill(`${lately}>${popular}`));
    assert.equal(broken[0], "failed 5 requests in a row");
    assert.match(broken[1], /expected an answer within 0 ms, got one after/);
    assert.ok(took.slice(0, 5).every((elapsedMs) => elapsedMs !== null && elapsedMs > 0));
    assert.equal(took[5], null);
  });

  it("goes on serving late answers where nothing else is loaded that could answer", async () => {
    const live = open({}, { requestTimeoutMs: 0 });
    await live.start();
    await live.follow(pointerTo(popular, 1));
    for (let request = 0; request < 10; request++) assert.equal(live.recommend(QUERY).model.version, popular);
    assert.equal(live.broken, true, "set aside, and asked all the same");
  });

  it("forgives failures that neither follow one another nor are many", async () => {
    const live = open({ onBroken: () => assert.fail("four in a row are not five") }, { failureRate: 0.9 });
    await live.start();
    await live.follow(pointerTo(lately, 2, popular));
    const recommender = live.lineup?.live.recommender;
    assert.ok(recommender !== undefined);
    const works = recommender.recommend.bind(recommender);
    let request = 0;
    recommender.recommend = (query) => {
      if (++request % 5 !== 0) throw new Error("planted");
      return works(query);
    };
    for (let each = 0; each < 50; each++) live.recommend(QUERY);
    assert.equal(live.broken, false);
  });

  it("serves what it last served when it starts without Redis, and follows the registry once it is back", async () => {
    const first = open();
    await first.start();
    await first.follow(pointerTo(lately, 7, popular));
    await first.close();

    registry.away = true;
    const second = open();
    await second.start();
    assert.equal(second.recommend(QUERY).model.version, lately);
    registry.away = false;
    registry.announce(pointerTo(popular, 8));
    await eventually(() => second.lineup?.live.version === popular);
  });

  it("goes on with what it served when the registry has lost it, says so, and follows the next move", async () => {
    const later = "2026-02-01T00:00:00.000Z";
    const told: string[] = [];
    const live = open({ onRegistryLost: (words) => told.push(words) });
    await live.start();
    registry.announce(pointerTo(lately, 9, popular));
    await eventually(() => live.lineup?.epoch === 9);
    for (const lost of [null, pointerTo(popular, 5)]) {
      registry.announce(lost);
      await eventually(() => live.trouble !== null);
      assert.equal(live.recommend(QUERY).model.version, lately);
      assert.match(live.trouble ?? "", /^Redis has lost what it knew: it says that .* is live/);
    }
    assert.equal(told.length, 1);
    registry.announce({ ...pointerTo(popular, 6), since: later });
    await eventually(() => live.lineup?.epoch === 6);
    assert.equal(live.trouble, null);
    registry.announce(null);
    await eventually(() => live.trouble !== null);
    registry.announce({ ...pointerTo(lately, 1, popular), lineage: "another" });
    await eventually(() => live.lineup?.live.version === lately);
  });

  it("takes a message that comes late for what it is", async () => {
    const live = open({ onRegistryLost: () => assert.fail("nothing was lost") });
    await live.start();
    registry.pointer = pointerTo(lately, 5, popular);
    await live.follow(registry.pointer);
    await live.follow(pointerTo(popular, 4));
    assert.equal(live.lineup?.live.version, lately);
    assert.equal(live.trouble, null);
  });

  it("starts with what a rollback returns to where the live version is damaged, then with the floor", async () => {
    const refused = new PhasewiseError("ARTIFACT_REFUSED", "a byte was flipped");
    const other = await store(await fitSmall("popular-lately", { halfLifeDays: 60 }));
    registry.pointer = pointerTo(lately, 3, other);
    artifacts.damage(lately, refused);
    const second = open();
    await second.start();
    assert.equal(second.recommend(QUERY).model.version, other);
    assert.match(second.trouble ?? "", new RegExp(`^${lately} .*a byte was flipped.*; ${other} answers`));
    artifacts.damage(other, refused);
    const third = open();
    await third.start();
    assert.equal(third.recommend(QUERY).model.version, popular);
    artifacts.damage(lately, null);
    await eventually(() => third.lineup?.live.version === lately);
    assert.equal(third.trouble, null);
  });

  it("starts empty when the file of the last live version makes no sense", async () => {
    registry.away = true;
    for (const text of ["", "{", "[]", '{"version":"../../etc/passwd","epoch":1}']) {
      await writeFile(join(folder, "last-live.json"), text);
      const live = open();
      await live.start();
      assert.equal(live.lineup, null);
    }
  });

  it("writes down what it serves", async () => {
    const live = open();
    await live.start();
    await live.follow(pointerTo(popular, 1));
    const kept: unknown = JSON.parse(await readFile(join(folder, "last-live.json"), "utf8"));
    assert.deepEqual(kept, pointerTo(popular, 1));
  });

  it("goes straight to the newest of many pointers", async () => {
    const swaps: number[] = [];
    const live = open({ onSwap: (lineup: Lineup) => swaps.push(lineup.epoch) });
    await live.start();
    await Promise.all([
      live.follow(pointerTo(popular, 1)),
      live.follow(pointerTo(lately, 2, popular)),
      live.follow(pointerTo(popular, 3)),
      live.follow(pointerTo(lately, 4, popular)),
    ]);
    assert.equal(live.lineup?.epoch, 4);
    assert.equal(swaps.at(-1), 4);
  });
});
