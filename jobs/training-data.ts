import { createHash } from "node:crypto";
import type { Catalogue, InteractionLog } from "../models/data/interaction-log.ts";
import { cutPosition } from "../models/data/interaction-log.ts";
import { type TrainingSet, trainingSet } from "../models/data/interaction-matrix.ts";
import { sliceLog } from "../models/data/slice.ts";
import { prequentialRequests, type RequestSet } from "../models/evaluation/requests.ts";
import type { DataProvenance } from "../models/manifest.ts";
import { PhasewiseError } from "../services/errors.ts";
import { withEvents } from "../services/interactions/compaction.ts";
import { readSnapshot } from "../services/interactions/snapshot.ts";
import type { EventLog, FeedbackEvent } from "../services/interactions/types.ts";

/** Items with fewer interactions are too rare to learn from or to be judged by. */
const MIN_ITEM_INTERACTIONS = 5;

/** All events a training run may use, and what they are called. */
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

export interface SplitFractions {
  /** Share of the events kept back at the end, to be judged by. */
  readonly holdoutShare: number;
  /** Share of the remaining events, again at their end, to tune on. */
  readonly validationShare: number;
}

/**
 * Three views of one log, all cut by time: `tuning` (never sees the holdout), `holdout` (looked at once, by
 * the screen), and `all` (what is served, fitted with the parameters that tuning chose).
 */
export interface Splits {
  readonly tuning: Split;
  readonly holdout: Split;
  readonly all: TrainingSet;
}

export function splitByTime(data: TrainingData, fractions: SplitFractions, seed: number): Splits {
  const { log, catalogue } = data;
  const end = log.timestamps.length;
  const holdoutStart = cutPosition(log, 1 - fractions.holdoutShare);
  const tuningStart = Math.round(holdoutStart * (1 - fractions.validationShare));
  const split = (from: number, to: number): Split => {
    const train = trainingSetThrough(log, catalogue, from);
    const requests = prequentialRequests(log, { from, to, recommendable: train.interactions.items, seed });
    return { train, past: sliceLog(log, 0, from), requests, judgedFrom: log.timestamps[from] };
  };
  return {
    tuning: split(tuningStart, holdoutStart),
    holdout: split(holdoutStart, end),
    all: trainingSetThrough(log, catalogue, end),
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
    frequent = ++seen[log.itemIndex[event]] >= MIN_ITEM_INTERACTIONS;
  }
  return trainingSet(log, catalogue, { to, minItemInteractions: frequent ? MIN_ITEM_INTERACTIONS : 1 });
}

/** Names what a log holds: the snapshot's hash and, when later events were added, the last one's stream id. */
export function provenanceOf(
  log: InteractionLog,
  snapshotSha256: string,
  throughEventId: string,
): DataProvenance {
  const rows = log.timestamps.length;
  const sha256 = dataSha256(snapshotSha256, throughEventId);
  const isoTime = (event: number): string => new Date(log.timestamps[event]).toISOString();
  return { sha256, rows, from: isoTime(0), through: isoTime(rows - 1) };
}

/**
 * The snapshot with every event of the stream added: all that is known right now. With `sha256`, what was known when
 * data of that hash was loaded, as long as the stream has not been folded into the snapshot since.
 */
export async function loadTrainingData(
  snapshotHome: string,
  events: EventLog,
  now: number,
  sha256?: string,
): Promise<TrainingData> {
  const content = await readSnapshot(snapshotHome);
  if (content === null) {
    throw new PhasewiseError(
      "NOT_FOUND",
      `training: expected a snapshot under ${snapshotHome}, got none; import data first (phasewise import --data DIR)`,
    );
  }
  const whole = await streamTail(events);
  const { tail, throughId } = sha256 === undefined ? whole : asOf(whole, content.snapshot.sha256, sha256);
  const log = tail.length === 0 ? content.log : withEvents(content.log, tail, now);
  return {
    log,
    catalogue: content.catalogue,
    provenance: provenanceOf(log, content.snapshot.sha256, throughId),
  };
}

function dataSha256(snapshotSha256: string, throughEventId: string): string {
  if (throughEventId === "0") return snapshotSha256;
  return createHash("sha256").update(`${snapshotSha256}\n${throughEventId}`).digest("hex");
}

/** The beginning of the stream that makes data of this hash; all of it when none does. */
function asOf(whole: StreamTail, snapshotSha256: string, sha256: string): StreamTail {
  const ids = ["0", ...whole.ids];
  const length = ids.findIndex((id) => dataSha256(snapshotSha256, id) === sha256);
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
