import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JobContext, openContext } from "../../jobs/context.ts";
import { Lanes } from "../../jobs/shadow/lanes.ts";
import { shadow } from "../../jobs/shadow/shadow.ts";
import { itemId, userId } from "../../models/data/ids.ts";
import type { Catalogue, InteractionLog } from "../../models/data/interaction-log.ts";
import { trainingSet } from "../../models/data/interaction-matrix.ts";
import { seededRandom } from "../../models/data/random.ts";
import { Vocabulary } from "../../models/data/vocabulary.ts";
import { noFaults } from "../../models/evaluation/list-faults.ts";
import { fitModel, type Model } from "../../models/model.ts";
import type { Params } from "../../models/recipe.ts";
import { loadConfig } from "../../services/config.ts";
import { writeCatalogue } from "../../services/interactions/catalogue-file.ts";
import { writeSnapshot } from "../../services/interactions/snapshot.ts";
import type { FeedbackEvent } from "../../services/interactions/types.ts";
import { manifestOf } from "../services/serving/small-world.ts";
import { type PrivateRedis, startRedis } from "../support/redis.ts";

export const DAY_MS = 86_400_000;
/** The snapshot ends here, and the traffic of tests begins. */
export const CUT = Date.UTC(2024, 0, 1);
const ITEMS = 40;
const TRAINING_DAYS = 100;
const HOLDOUT_USERS = 60;

/** Limits that a few dozen users of one kind on a busy machine can be proven to keep. */
export const TOLERANT_GUARDRAILS = {
  failureRate: 0.2,
  latencyBudgetMs: 10_000,
  latencyNegligibleMs: 10_000,
  coverageRatio: 0,
  noveltyRatio: 0,
  diversityRatio: 0,
  giniIncrease: 1,
};

/** Tests make up what the holdout found, and plant lifts that it never allowed. */
const ANY_LIFT = { largestLiftFactor: 1000 };

/** Forty items, i1 chosen most often: item n with a weight of 1/n. */
export const ITEM_IDS = Array.from({ length: ITEMS }, (_, index) => itemId(`i${index + 1}`));

export const CATALOGUE: Catalogue = new Map(
  ITEM_IDS.map((id) => [id, { title: `Item ${id}`, genres: [], year: 2000 }]),
);

/** Draws an index of 0 … 39 by the items' weights. */
export function zipfDraw(next: () => number): number {
  const total = ITEM_IDS.reduce((sum, _, index) => sum + 1 / (index + 1), 0);
  let left = next() * total;
  for (let index = 0; index < ITEMS; index++) {
    left -= 1 / (index + 1);
    if (left < 0) return index;
  }
  return ITEMS - 1;
}

/** 4,000 choices over the 100 days before the cut, ten in a row by each of 400 users. */
export function trainingLog(seed = 1): InteractionLog {
  const random = seededRandom(seed);
  const events = 4000;
  const users = 400;
  return {
    users: new Vocabulary(Array.from({ length: users }, (_, index) => userId(`t${index}`))),
    items: new Vocabulary(ITEM_IDS),
    userIndex: Uint32Array.from({ length: events }, (_, event) => Math.floor(event / 10)),
    itemIndex: Uint32Array.from({ length: events }, () => zipfDraw(() => random.next())),
    timestamps: Float64Array.from(
      { length: events },
      (_, event) => CUT - TRAINING_DAYS * DAY_MS + ((event + 1) / events) * TRAINING_DAYS * DAY_MS,
    ),
    weights: new Float32Array(events).fill(1),
  };
}

export interface TrafficOptions {
  /** Version that answered these users as the canary (default: none did). */
  readonly canary?: string | undefined;
  /** Event time of what they choose (default: an hour after they asked). */
  readonly answeredAt?: number | undefined;
  /** Happens to each of them between asking and choosing. */
  readonly meanwhile?: ((user: string) => Promise<void>) | undefined;
}

/** Everything a job touches, real, over a private Redis and a folder of its own. */
export interface JobRig {
  readonly redis: PrivateRedis;
  readonly context: JobContext;
  /** Where versions are asked. */
  readonly lanes: Lanes;
  /** State folder, as a serving process would be given it. */
  readonly folder: string;
  /** Another process's view of the same service, under another policy. */
  contextUnder(policy: object): Promise<JobContext>;
  /**
   * Stores and registers what a recipe learns from the training log, spoilt on the way if asked for, and said to
   * have learned until some time (default: the cut).
   */
  register(
    recipe: string,
    params?: Params,
    spoil?: (model: Model) => Model,
    trainedThrough?: number,
  ): Promise<string>;
  /** Gives a version a holdout evaluation on the data that all of them are said to come from. */
  evaluate(version: string, ndcgOf: (user: number) => number): Promise<void>;
  /**
   * So many users never seen before ask once in the shadow, then choose five items; their windows close.
   */
  traffic(users: number, options?: TrafficOptions): Promise<void>;
  /** So many users never seen before ask once in the shadow, now by the clock of the process; resolves to them. */
  ask(users: number): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export async function startJobRig(policy: object = {}): Promise<JobRig> {
  const redis = await startRedis();
  const folder = await mkdtemp(join(tmpdir(), "phasewise-jobs-"));
  const contexts: JobContext[] = [];
  const contextUnder = async (limits: object): Promise<JobContext> => {
    const policyFile = join(folder, `policy-${contexts.length}.json`);
    await writeFile(policyFile, JSON.stringify({ evidence: ANY_LIFT, ...limits }));
    const config = loadConfig(
      {},
      { redisUrl: redis.url, stateFolder: folder, logLevel: "silent", policyFile },
    );
    const context = await openContext(config);
    contexts.push(context);
    return context;
  };
  const context = await contextUnder(policy);
  await writeSnapshot(trainingLog(), CATALOGUE, context.stores.snapshot);
  await writeCatalogue(new Map(), context.stores.snapshot);
  const lanes = new Lanes({
    source: context,
    timeoutMs: 5000,
    heapMb: 512,
    consecutiveFaults: 5,
  });
  const random = seededRandom(7);
  let served = 0;
  let clock = CUT;

  return {
    redis,
    folder,
    context,
    lanes,
    contextUnder,
    async register(recipe, params = {}, spoil = (model) => model, trainedThrough = CUT) {
      const fitted = await fitModel(recipe, trainingSet(trainingLog(), CATALOGUE), params, { seed: 1 });
      const model = spoil(fitted.model);
      const stored = await context.artifacts.write(model, (file) => ({
        ...manifestOf(model, file),
        data: {
          sha256: "d".repeat(64),
          rows: 4000,
          from: new Date(CUT - TRAINING_DAYS * DAY_MS).toISOString(),
          through: new Date(trainedThrough).toISOString(),
        },
      }));
      await context.registry.register(stored.manifest, stored.manifestSha256, "tests");
      return stored.manifest.version;
    },
    async evaluate(version, ndcgOf) {
      const { manifest } = await context.artifacts.manifest(version);
      const perUser = Array.from({ length: HOLDOUT_USERS }, (_, user) => ({
        user: userId(`t${user}`),
        ndcg: ndcgOf(user),
        requests: 1,
        historyLength: 5,
        novelty: 3,
        diversity: 0,
      }));
      const mean = perUser.reduce((sum, { ndcg }) => sum + ndcg, 0) / HOLDOUT_USERS;
      await context.evaluations.put(
        { ...manifest, dataSha256: manifest.data.sha256 },
        {
          summary: { ...manifest.offline, ndcg: { mean, low: mean, high: mean } },
          perUser,
          faults: noFaults(),
          window: { trainedThrough: CUT - 20 * DAY_MS, judgedFrom: CUT - 20 * DAY_MS },
        },
      );
    },
    async traffic(users, { canary, answeredAt = clock + DAY_MS / 24, meanwhile } = {}) {
      const people = Array.from({ length: users }, () => `u${++served}`);
      const choose = (user: string, count: number, at: number): FeedbackEvent[] =>
        Array.from({ length: count }, (_, choice) => ({
          eventId: `${user}-${at}-${choice}`,
          userId: userId(user),
          itemId: ITEM_IDS[zipfDraw(() => random.next())],
          type: "watch",
          timestamp: at + choice * 1000,
        }));
      await context.events.append(
        people.flatMap((user) => choose(user, 2, clock)),
        clock,
      );
      const requests = people.map((user) => ({
        requestId: `r-${user}`,
        userId: user,
        historyThrough: 2,
        k: 10,
        exclude: [],
        liveVersion: canary ?? "tests",
        ...(canary === undefined ? {} : { canary: true as const }),
        served: [],
        at: clock,
      }));
      const deps = { ...context, lanes, limits: context.policy.shadow };
      const span = { run: "tests", from: served - users, through: served };
      await shadow(deps, { span, requests, shed: 0 }, `batch-${clock}`);
      for (const user of people) await meanwhile?.(user);
      await context.events.append(
        people.flatMap((user) => choose(user, 5, answeredAt)),
        clock,
      );
      clock += 9 * DAY_MS;
      await context.events.append(choose("clock", 1, clock), clock);
    },
    async ask(users) {
      const people = Array.from({ length: users }, () => `u${++served}`);
      const requests = people.map((user) => ({
        requestId: `r-${user}`,
        userId: user,
        historyThrough: 0,
        k: 10,
        exclude: [],
        liveVersion: "tests",
        served: [],
        at: context.now(),
      }));
      const span = { run: "tests", from: served - users, through: served };
      const deps = { ...context, lanes, limits: context.policy.shadow };
      await shadow(deps, { span, requests, shed: 0 }, `batch-${served}`);
      return people;
    },
    async stop() {
      await lanes.close();
      for (const open of contexts) await open.close();
      await redis.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The least popular first: a list that nearly nobody wants. */
export function reversed(model: Model): Model {
  const most = Math.max(...model.floor);
  const turned = Float32Array.from(model.floor, (count) => most - count);
  return {
    ...model,
    seed: 99,
    floor: turned,
    arrays: { popularity: { shape: [turned.length], data: turned } },
  };
}
