import Type, { type Static } from "typebox";
import type { Params, Phase } from "../../models/recipe.ts";

/** Queue names. Payloads are ids, versions and small numbers, never matrices. */
export const QUEUES = {
  training: "phasewise-training",
  shadow: "phasewise-shadow",
  upkeep: "phasewise-upkeep",
  analysis: "phasewise-analysis",
} as const;

export interface RetrainPayload {
  readonly phase: Phase;
  readonly recipe: string;
  readonly params?: Params | undefined;
  readonly tune?: boolean | undefined;
  /** Explain the version afterwards, also when it passes the screen. */
  readonly analyse?: boolean | undefined;
  readonly seed: number;
  readonly requestedBy: string;
  /** Why, in words; not part of what the job is. */
  readonly reason?: string | undefined;
  /** Version of the same recipe whose arrays the final fit starts from: for a refresh only. */
  readonly warmStart?: string | undefined;
  /** Written by the job itself when its search begins. */
  readonly searching?: SearchedData | undefined;
}

/** A job of the training queue that retrains, and one that tries parameters for it: its child in a flow. */
export const TRAINING_JOBS = { retrain: "retrain", trial: "trial" } as const;

/** What a search was begun on, kept with its job: later events must not change it halfway. */
export interface SearchedData {
  readonly sha256: string;
}

export interface TrialPayload {
  readonly recipe: string;
  readonly params: Params;
  readonly seed: number;
  /** Share of the full budget, 0 … 1. */
  readonly budget: number;
  readonly data: SearchedData;
  /** Its place in the search, from 0. */
  readonly place: number;
}

/** What a trial returns: its score on the validation window, or why there is none, and the data that it really saw. */
export type TrialOutcome = (
  | { readonly score: number; readonly seconds: number }
  | { readonly failure: string; readonly seconds: number }
) & { readonly dataSha256: string };

/** Explains a version: diagnosis, levers, learning curve. */
export interface AnalysisPayload {
  readonly version: string;
  /** Parts that would go beyond so many seconds are left out, and the findings say so. */
  readonly budgetSeconds: number;
}

/** One sampled request, enough to ask it again from the same history. */
export interface ShadowRequest {
  readonly requestId: string;
  readonly userId: string | null;
  /** History of the user as of the request: entries with sequence ≤ this. */
  readonly historyThrough: number;
  /** Id of the key through which it was asked; absent in requests from before there were keys. */
  readonly source?: string | undefined;
  readonly k: number;
  readonly exclude: readonly string[];
  readonly genre?: string | undefined;
  /** Version that answered the request. */
  readonly liveVersion: string;
  /** It answered as the canary: says nothing about the live version, whose comparisons leave it out. */
  readonly canary?: true | undefined;
  /** The list that was served. */
  readonly served: readonly string[];
  /** Epoch milliseconds, the server's clock. */
  readonly at: number;
}

/**
 * A replica numbers its sampled requests. A batch accounts for those from `from` to `through` − 1: each is in it, or was
 * shed.
 */
export interface BatchSpan {
  /** Names the serving process since it started. */
  readonly run: string;
  readonly from: number;
  readonly through: number;
}

export interface ShadowPayload {
  readonly span: BatchSpan;
  readonly requests: readonly ShadowRequest[];
  /** Sampled requests that this replica had to drop since its last batch. */
  readonly shed: number;
}

/** Named once by whoever sends it: sent again, since the answer to the first sending was lost, it is the same job. */
export interface ShadowBatch extends ShadowPayload {
  readonly id: string;
}

const JobState = Type.Enum(["waiting", "active", "completed", "failed", "delayed", "unknown"], {
  type: "string",
});
export type JobState = Static<typeof JobState>;

/** How a job is doing. */
export const JobView = Type.Object({
  jobId: Type.String(),
  name: Type.String(),
  state: JobState,
  progress: Type.Union([
    Type.Object({ fraction: Type.Number({ description: "0 … 1" }), message: Type.String() }),
    Type.Null(),
  ]),
  result: Type.Unknown({ description: "what the job returned; null before its end" }),
  failedReason: Type.Union([Type.String(), Type.Null()]),
  attempts: Type.Integer(),
});
export type JobView = Readonly<Static<typeof JobView>>;

export interface JudgePayload {
  readonly kind: "judge";
  /** Writes a decision for every open attempt, also for those that are merely held. */
  readonly record: boolean;
}

export interface CompactPayload {
  readonly kind: "compact";
}

export interface DriftPayload {
  readonly kind: "drift";
}

/** A retrain of the live recipe on the latest data. */
export interface RefreshPayload {
  readonly kind: "refresh";
}

/** Removes a user everywhere. The id is taken out of the job once it is done. */
export interface ErasePayload {
  readonly kind: "erase";
  readonly userId: string;
}

export type UpkeepPayload = JudgePayload | CompactPayload | DriftPayload | RefreshPayload | ErasePayload;
