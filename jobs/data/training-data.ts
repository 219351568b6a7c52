import { createHash } from "node:crypto";
import type { DataProvenance } from "../../models/artifact/manifest.ts";
import { canonicalJson } from "../../models/canonical-json.ts";
import type { Catalogue, InteractionLog } from "../../models/data/interaction-log.ts";
import { type TrainingSet, trainingSet } from "../../models/data/interaction-matrix.ts";
import { type SetAside, type UserLimits, withoutSuspects } from "../../models/data/set-aside.ts";
import { sliceLog } from "../../models/data/slice.ts";
import { holdoutStart } from "../../models/evaluation/holdout-cut.ts";
import { prequentialRequests, type RequestSet } from "../../models/evaluation/requests.ts";
import type { Policy } from "../../models/gate/policy.ts";
import { PhasewiseError } from "../../services/errors.ts";
import { withEvents } from "../../services/interactions/compaction.ts";
import { readSnapshot } from "../../services/interactions/snapshot.ts";
import type { EventLog, FeedbackEvent } from "../../services/interactions/types.ts";
import type { ByteStore } from "../../services/storage/byte-store.ts";

/** Items with fewer interactions are too rare to learn from or to be judged by. */
const MIN_ITEM_INTERACTIONS = 5;

/** All events that a training run may use, with their titles and the hash that names them. */
export interface TrainingData {
  readonly log: InteractionLog;
  readonly catalogue: Catalogue;
  readonly provenance: DataProvenance;
}

/** A past to learn from and the requests that came after it. */
export interface Split {
  readonly train: TrainingSet;
  /** The events that `train` was made of. */
  readonly past: InteractionLog;
  readonly requests: RequestSet;
  /** Time of the first event that is judged on, epoch milliseconds. */
  readonly judgedFrom: number;
}

export interface SplitTerms {
  /** Share of the events kept back at the end, to be judged by. */
  readonly holdoutShare: number;
  /** Share of the remaining events, again at their end, to tune on. */
  readonly validationShare: number;
  /** The holdout begins earlier than its share says where it would hold fewer users. */
  readonly minimumUsers: number;
}

export function splitTerms({ training, screen }: Policy): SplitTerms {
  const { holdoutShare, validationShare } = training;
  return { holdoutShare, validationShare, minimumUsers: screen.minimumUsers };
}

/** Users asked at most, a seeded sample: four times as many would halve an interval and take four times as long. */
const HOLDOUT_USERS = 5000;
const TUNING_USERS = 2000;

/** Seed of the sample of users and moments. Not the model's own, so that all models are asked the same requests. */
const REQUEST_SEED = 1;

/**
 * What decides a holdout evaluation besides data and model; part of the key under which its figures are kept.
 * `minimumUsers` moves the cut of tiny data only and is left out, so that figures kept from before there was one stay;
 * the screen pairs nobody whose requests differ.
 */
export function protocolOf({ holdoutShare, validationShare }: Omit<SplitTerms, "minimumUsers">): string {
  return JSON.stringify({ holdoutShare, validationShare, HOLDOUT_USERS, TUNING_USERS, REQUEST_SEED });
}

/**
 * Three views of one log, all cut by time: `tuning` (never sees the holdout), `holdout` (looked at once, by
 * the screen), and `all` (what is served, fitted with the parameters that tuning chose). Each is made when it is
 * first asked for: of a large log one alone is hundreds of megabytes.
 */
export interface Splits {
  readonly tuning: Split;
  readonly holdout: Split;
  readonly all: TrainingSet;
}

export function splitByTime(
  { log, catalogue }: Pick<TrainingData, "log" | "catalogue">,
  { holdoutShare, validationShare, minimumUsers }: SplitTerms,
): Splits {
  const end = log.timestamps.length;
  const holdoutFrom = holdoutStart(log, holdoutShare, minimumUsers);
  const tuningFrom = Math.round(holdoutFrom * (1 - validationShare));
  const split = (from: number, to: number, maxUsers: number): Split => {
    const train = trainingSetThrough(log, catalogue, from);
    const recommendable = train.interactions.items;
    const requests = prequentialRequests(log, { from, to, recommendable, maxUsers, seed: REQUEST_SEED });
    // So few events that none is kept back: nobody is judged, and the end stands for the moment.
    const judgedFrom = log.timestamps[Math.min(from, log.timestamps.length - 1)];
    return { train, past: sliceLog(log, 0, from), requests, judgedFrom };
  };
  const tuning = once(() => split(tuningFrom, holdoutFrom, TUNING_USERS));
  const holdout = once(() => split(holdoutFrom, end, HOLDOUT_USERS));
  const all = once(() => trainingSetThrough(log, catalogue, end));
  return {
    get tuning() {
      return tuning();
    },
    get holdout() {
      return holdout();
    },
    get all() {
      return all();
    },
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/**
 * All that a model may learn from the events before `to`. Small data keeps rare items rather than having none: the
 * threshold falls to 1 where it would leave nothing.
 */
export function trainingSetThrough(log: InteractionLog, catalogue: Catalogue, to: number): TrainingSet {
  const seen = new Uint32Array(log.items.size);
  let frequent = false;
  for (let event = 0; event < to && !frequent; event++) {
    if (!(log.weights[event] > 0)) continue;
    frequent = ++seen[log.itemIndex[event]] >= MIN_ITEM_INTERACTIONS;
  }
  return trainingSet(log, catalogue, { to, minItemInteractions: frequent ? MIN_ITEM_INTERACTIONS : 1 });
}

/** Whom a training leaves out. */
export function userLimits({ training, evidence, screen }: Policy): UserLimits {
  const { userEvents, largestUserShare, holdoutShare } = training;
  const { minimumUsers } = screen;
  return {
    userEvents,
    largestUserShare,
    holdoutShare,
    minimumUsers,
    largestSourceShare: evidence.largestSourceShare,
  };
}

function provenanceOf(log: InteractionLog, sha256: string, setAside: SetAside | null): DataProvenance {
  const rows = log.timestamps.length;
  const isoTime = (event: number): string => new Date(log.timestamps[event]).toISOString();
  const range = { sha256, rows, from: isoTime(0), through: isoTime(rows - 1) };
  return setAside === null ? range : { ...range, setAside };
}

/**
 * The snapshot with every event of the stream added, without whom the limits set aside. With `sha256`, only as much of
 * the stream as gives data of that hash, so that a second run sees what the first one saw; all of it if the stream was
 * folded into the snapshot since.
 */
export async function loadTrainingData(
  snapshots: ByteStore,
  events: EventLog,
  now: number,
  limits: UserLimits,
  sha256?: string,
): Promise<TrainingData> {
  const content = await readSnapshot(snapshots);
  if (content === null) {
    throw new PhasewiseError(
      "NOT_FOUND",
      `training: expected a snapshot under ${snapshots.place}, got none; import data first (phasewise import --data DIR)`,
    );
  }
  const whole = await streamTail(events);
  const { tail, throughId } =
    sha256 === undefined ? whole : asOf(whole, content.snapshot.sha256, limits, sha256);
  const all = tail.length === 0 ? content.log : withEvents(content.log, tail, now);
  const { log, setAside } = withoutSuspects(all, limits);
  const known = knownSha256(content.snapshot.sha256, throughId);
  const used = setAside === null ? known : limitedSha256(known, limits);
  return { log, catalogue: content.catalogue, provenance: provenanceOf(log, used, setAside) };
}

/** Names all that is known: the snapshot's hash and, when later events were added, the last one's stream id. */
function knownSha256(snapshotSha256: string, throughEventId: string): string {
  if (throughEventId === "0") return snapshotSha256;
  return createHash("sha256").update(`${snapshotSha256}\n${throughEventId}`).digest("hex");
}

/** Names the same where something of it was set aside. */
function limitedSha256(sha256: string, limits: UserLimits): string {
  return createHash("sha256")
    .update(`${sha256}\nwithin ${canonicalJson(limits)}`)
    .digest("hex");
}

/** The first part of the stream that gives data of this hash; the whole stream when no part does. */
function asOf(whole: StreamTail, snapshotSha256: string, limits: UserLimits, sha256: string): StreamTail {
  const ids = ["0", ...whole.ids];
  const length = ids.findIndex((id) => {
    const known = knownSha256(snapshotSha256, id);
    return known === sha256 || limitedSha256(known, limits) === sha256;
  });
  if (length < 0) return whole;
  return {
    tail: whole.tail.slice(0, length),
    ids: whole.ids.slice(0, length),
    throughId: ids[length],
  };
}

interface StreamTail {
  readonly tail: FeedbackEvent[];
  /** Stream id of each event. */
  readonly ids: string[];
  readonly throughId: string;
}

/** Events read from the stream in one go. */
const TAIL_PAGE = 5000;

/** Everything in the event stream, oldest first, and the id of the last entry ("0" when there is none). */
export async function streamTail(events: EventLog): Promise<StreamTail> {
  const tail: FeedbackEvent[] = [];
  const ids: string[] = [];
  let throughId = "0";
  for (;;) {
    const page = await events.read(throughId, TAIL_PAGE);
    for (const { id, event } of page) {
      tail.push(event);
      ids.push(id);
      throughId = id;
    }
    if (page.length < TAIL_PAGE) return { tail, ids, throughId };
  }
}
