/**
 * What a look of the judge costs, and what Redis holds, where there is much traffic: a million users ask a thousand times
 * a second, four challengers answer beside the live version, each compared with all that are no more complex.
 * Six hundred million requests a week are too many to be sent, so that what reaches nobody is left out: of users outside
 * the panel, and of those inside the requests that would not enter the sample (the worker would look at their hash and
 * go on). The rest is real: the shadow job (with made-up lists), Redis, the judge. Time is that of the events; the looks
 * of an hour are all alike, so some of them are taken. Of a look both times are told: by the clock, and of this process.
 * Run: npm run bench:judge [-- days] [looks an hour] [panel users] [minutes at first, in which everybody is in]
 */

import type { JobContext } from "../../jobs/context.ts";
import { judge } from "../../jobs/judging/judge.ts";
import { screen } from "../../jobs/judging/screen.ts";
import { type LaneQuery, Lanes } from "../../jobs/shadow/lanes.ts";
import { shadow } from "../../jobs/shadow/shadow.ts";
import { itemId, userId } from "../../models/data/ids.ts";
import { seededRandom } from "../../models/data/random.ts";
import { placeOf } from "../../models/gate/assignment.ts";
import { isInWindow, panelPlace } from "../../models/gate/panel-draw.ts";
import { samplePlace } from "../../models/gate/request-sample.ts";
import type { ShadowRequest } from "../../services/queues/types.ts";
import { connectRedis } from "../../services/redis.ts";
import type { LaneAnswer } from "../../services/shadow/types.ts";
import { startJobRig, TOLERANT_GUARDRAILS } from "../jobs/rig.ts";
import { quantile } from "./quantile.ts";

const DAYS = Number(process.argv[2] ?? 28);
const LOOKS_AN_HOUR = Number(process.argv[3] ?? 2);
const PANEL_USERS = Number(process.argv[4] ?? 2000);
const FIRST_MINUTES = Number(process.argv[5] ?? 0);
const USERS = 1_000_000;
const REQUESTS_A_SECOND = 1000;
const HOUR_MS = 3_600_000;
const REQUESTS_AN_HOUR = (REQUESTS_A_SECOND * 3600) / USERS;
/** Things a user chooses: one in 4.8 hours. */
const CHOICES_AN_HOUR = 5 / 24;
const ITEMS = 2000;
const CLUSTERS = 20;
const SAMPLE = 20;

const random = seededRandom(1);

/** Lists of ten, two or three of which are of the kind that the user chooses from. */
class MadeUpLanes extends Lanes {
  override async ask(_lane: string, version: string, queries: readonly LaneQuery[]): Promise<LaneAnswer[]> {
    return queries.map(({ history }): LaneAnswer => {
      const last = Number(history.at(-1)?.itemId.slice(1) ?? 0);
      const own = seededRandom(placeOf(`${version} ${history.length} ${last}`, "list") * 2 ** 32);
      const cluster = last % CLUSTERS;
      const items = new Set<string>();
      while (items.size < 3) items.add(`i${cluster + CLUSTERS * own.integer(ITEMS / CLUSTERS)}`);
      while (items.size < 10) items.add(`i${own.integer(ITEMS)}`);
      return {
        items: [...items],
        elapsedMs: 0.5 + own.next(),
        fault: null,
        broken: [],
        repeated: null,
        memoryMb: 50,
      };
    });
  }
}

const rig = await startJobRig({
  mde: 0.001,
  guardrails: TOLERANT_GUARDRAILS,
  shadow: { maximumChallengers: 4, timeoutMs: 10_000, panelUsers: PANEL_USERS },
});
let clock = Date.now() - (DAYS + 10) * 24 * HOUR_MS;
const context: JobContext = { ...rig.context, now: () => clock, itemInformation: async () => () => 8 };
const lanes = new MadeUpLanes({ source: context, timeoutMs: 5000, heapMb: 512, consecutiveFaults: 5 });
const raw = connectRedis({ redisUrl: rig.redis.url }, "patient", () => {});

interface Person {
  events: number;
  places: number[];
}
const people = new Map<string, Person>();
const personOf = (user: string): Person => {
  const known = people.get(user) ?? { events: 0, places: [] };
  people.set(user, known);
  return known;
};
const panelPlaces = Float64Array.from({ length: USERS }, (_, user) => panelPlace(`u${user}`));
const PERIOD_MS = 7 * 24 * HOUR_MS;
let eventSerial = 0;
/** Chooses something of its own kind. */
const choiceOf = (user: string, at: number) => {
  personOf(user).events++;
  const cluster = Math.floor(placeOf(user, "cluster") * CLUSTERS);
  const item = cluster + CLUSTERS * random.integer(ITEMS / CLUSTERS);
  return {
    eventId: `e${eventSerial++}`,
    userId: userId(user),
    itemId: itemId(`i${item}`),
    type: "watch",
    timestamp: at,
  };
};

async function tell(users: readonly string[]): Promise<void> {
  for (let from = 0; from < users.length; from += 500) {
    const some = users.slice(from, from + 500).map((user) => choiceOf(user, clock));
    await context.events.append(some, Date.now());
  }
}

let sent = 0;
async function send(requests: readonly ShadowRequest[]): Promise<void> {
  const deps = { ...context, lanes, limits: context.policy.shadow };
  for (let from = 0; from < requests.length; from += 50) {
    const batch = requests.slice(from, from + 50);
    const span = { run: "bench", from: sent, through: sent + batch.length };
    await shadow(deps, { span, requests: batch, shed: 0 }, `batch-${sent}`);
    sent += batch.length;
  }
}

let requestSerial = 0;
/** A request, if it would enter the sample of its user. */
function requestOf(user: string): ShadowRequest | null {
  const person = personOf(user);
  const requestId = `r${requestSerial++}`;
  const place = samplePlace(requestId);
  if (person.places.length === SAMPLE && place >= person.places[SAMPLE - 1]) return null;
  person.places = [...person.places, place].sort((a, b) => a - b).slice(0, SAMPLE);
  return {
    requestId,
    userId: user,
    historyThrough: person.events,
    k: 10,
    exclude: [],
    liveVersion: live,
    served: [],
    at: clock,
  };
}

const live = await rig.register("popularity");
await context.registry.promote({ version: live, expectedLive: null, reason: "bench", actor: "bench" });
await rig.evaluate(live, (user) => 0.05 + (user % 10) / 100);
for (const recipe of ["popular-lately", "item-knn", "ease", "als"]) {
  const version = await rig.register(recipe);
  await rig.evaluate(version, (user) => 0.055 + ((user * 7) % 10) / 100);
  await screen(context, version);
}
await context.events.append([choiceOf("clock", clock)], Date.now());
await judge(context, { kind: "judge", record: false });
const comparisons = (await context.shadowLog.openAttempts()).length;

const looks: { day: number; ms: number; cpuMs: number }[] = [];
async function look(): Promise<void> {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await judge(context, { kind: "judge", record: false });
  const { user, system } = process.cpuUsage(before);
  const day = Math.floor((clock - begun - 1) / (24 * HOUR_MS));
  looks.push({ day, ms: performance.now() - startedAt, cpuMs: (user + system) / 1000 });
}

/** Bytes of the keys that begin so. */
async function megabytes(prefix: string): Promise<number> {
  let bytes = 0;
  const keys = await raw.keys(`{phasewise}:${prefix}*`);
  for (let from = 0; from < keys.length; from += 1000) {
    const reading = raw.pipeline();
    for (const key of keys.slice(from, from + 1000)) {
      // The client puts the prefix before it.
      reading.call("MEMORY", "USAGE", key.replace("{phasewise}:", ""), "SAMPLES", "0");
    }
    for (const [, size] of (await reading.exec()) ?? []) bytes += Number(size ?? 0);
  }
  return bytes / 1e6;
}

const begun = clock;
// The first minutes: everybody is in, until the judge has looked.
if (FIRST_MINUTES === 0) {
  await context.draws.write({ share: PANEL_USERS / USERS, from: 0, at: clock });
}
for (let half = 0; half < 2 * FIRST_MINUTES; half++) {
  const draw = await context.draws.read();
  const asking = new Set(Array.from({ length: 30 * REQUESTS_A_SECOND }, () => random.integer(USERS)));
  const inPanel = [...asking]
    .filter((user) => isInWindow(draw, panelPlaces[user], clock, PERIOD_MS))
    .map((n) => `u${n}`);
  await tell(inPanel);
  await send(inPanel.flatMap((user) => requestOf(user) ?? []));
  clock += 30_000;
  await look();
  const [last] = looks.slice(-1);
  const { share } = await context.draws.read();
  console.log(
    `${30 * (half + 1)} s: ${inPanel.length} users asked, look ${last.ms.toFixed(0)} ms, share now ${share.toFixed(4)}`,
  );
}

console.log(`${comparisons} comparisons`);
/** Users in the panel now, and until when those that have left are waited for. */
let active: readonly string[] = [];
const left = new Map<string, number>();
async function moveOn(): Promise<void> {
  const draw = await context.draws.read();
  const before = new Set(active);
  active = [...panelPlaces.keys()]
    .filter((user) => isInWindow(draw, panelPlaces[user], clock, PERIOD_MS))
    .map((user) => `u${user}`);
  for (const user of active) before.delete(user);
  for (const user of before) left.set(user, clock + PERIOD_MS);
  for (const [user, until] of left) if (until < clock) left.delete(user);
}

async function report(day: number): Promise<void> {
  const own = looks.filter((one) => one.day === day);
  const told = (of: (look: (typeof own)[number]) => number): string =>
    [0.5, 0.99, 1].map((share) => quantile(own.map(of), share).toFixed(0)).join("/");
  const [attempt] = await context.shadowLog.openAttempts();
  const rows = attempt === undefined ? 0 : (await context.shadowLog.users(attempt)).length;
  const open = (await context.shadowLog.openAttempts()).length;
  const held = (await context.shadowLog.panel.users()).length;
  const evidence = await megabytes("shadow:");
  const histories = await megabytes("history:");
  console.log(
    `day ${day + 1}: ${open} comparisons open, ${active.length} users in the panel, ${held} held, ${rows} closed; look p50/p99/max ${told(({ ms }) => ms)} ms, CPU ${told(({ cpuMs }) => cpuMs)} ms; Redis ${evidence.toFixed(1)} MB evidence, ${histories.toFixed(1)} MB histories`,
  );
}

for (let hour = 0; hour < DAYS * 24; hour++) {
  if (hour % 6 === 0) await moveOn();
  const choosing = [...active, ...left.keys()].filter(() => random.next() < CHOICES_AN_HOUR);
  await tell([...choosing, "clock"]);
  const asked: ShadowRequest[] = [];
  for (const user of active) {
    const requests = Math.floor(REQUESTS_AN_HOUR) + (random.next() < REQUESTS_AN_HOUR % 1 ? 1 : 0);
    for (let n = 0; n < requests; n++) {
      const request = requestOf(user);
      if (request !== null) asked.push(request);
    }
  }
  await send(asked);
  for (let n = 0; n < LOOKS_AN_HOUR; n++) {
    clock += HOUR_MS / LOOKS_AN_HOUR;
    await look();
  }
  if (hour % 24 === 23) await report(Math.floor(hour / 24));
}
raw.disconnect();
await lanes.close();
await rig.stop();
