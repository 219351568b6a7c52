import { createHash } from "node:crypto";
import type { Catalogue, InteractionLog } from "../models/data/interaction-log.ts";
import { cutPosition } from "../models/data/interaction-log.ts";
import { type TrainingSet, trainingSet } from "../models/data/interaction-matrix.ts";
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
  /** Id of the last event of the stream that is in it; "0" when there is none. */
  readonly throughEventId: string;
}

/** A past to learn from and the requests that came after it. */
export interface Split {
  readonly train: TrainingSet;
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
    const train = fit(log, catalogue, from);
    const requests = prequentialRequests(log, { from, to, recommendable: train.interactions.items, seed });
    return { train, requests, judgedFrom: log.timestamps[from] };
  };
  return {
    tuning: split(tuningStart, holdoutStart),
    holdout: split(holdoutStart, end),
    all: fit(log, catalogue, end),
  };
}

/** Small data keeps rare items rather than having none: the threshold falls to 1 where it would leave nothing. */
function fit(log: InteractionLog, catalogue: Catalogue, to: number): TrainingSet {
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
  const sha256 =
    throughEventId === "0"
      ? snapshotSha256
      : createHash("sha256").update(`${snapshotSha256}\n${throughEventId}`).digest("hex");
  const isoTime = (event: number): string => new Date(log.timestamps[event]).toISOString();
  return { sha256, rows, from: isoTime(0), through: isoTime(rows - 1) };
}

/** The snapshot with every event of the stream added, or those up to an id: all that is known, or was. */
export async function loadTrainingData(
  snapshotHome: string,
  events: EventLog,
  now: number,
  upToEventId?: string,
): Promise<TrainingData> {
  const content = await readSnapshot(snapshotHome);
  if (content === null) {
    throw new PhasewiseError(
      "NOT_FOUND",
      `training: expected a snapshot under ${snapshotHome}, got none; import data first (phasewise import --data DIR)`,
    );
  }
  const { tail, throughId } = await streamTail(events, upToEventId);
  const log = tail.length === 0 ? content.log : withEvents(content.log, tail, now);
  return {
    log,
    catalogue: content.catalogue,
    provenance: provenanceOf(log, content.snapshot.sha256, throughId),
    throughEventId: throughId,
  };
}

/** Events read from the stream in one go. */
const TAIL_PAGE = 5000;

/** Everything in the event stream (up to an id), oldest first, and the id of the last entry ("0" when there is none). */
export async function streamTail(
  events: EventLog,
  upToId?: string,
): Promise<{ tail: FeedbackEvent[]; throughId: string }> {
  const tail: FeedbackEvent[] = [];
  let throughId = "0";
  for (;;) {
    const page = await events.read(throughId, TAIL_PAGE);
    for (const { id, event } of page) {
      if (upToId !== undefined && isLater(id, upToId)) return { tail, throughId };
      tail.push(event);
      throughId = id;
    }
    if (page.length < TAIL_PAGE) return { tail, throughId };
  }
}

/** Stream ids are two whole numbers, "milliseconds-sequence"; they do not compare as text. */
function isLater(id: string, other: string): boolean {
  const [left, right] = [id, other].map((text) => text.split("-").map(Number));
  return left[0] !== right[0] ? left[0] > right[0] : (left[1] ?? 0) > (right[1] ?? 0);
}
