import type { SetAside } from "../data/set-aside.ts";
import type { EvaluationSummary } from "../evaluation/report.ts";
import type { Params, Phase, TrainingReport } from "../recipe.ts";
import type { CompressionLoss } from "./compression-loss.ts";

/** The data a model was fitted on. */
export interface DataProvenance {
  /** SHA-256 of the snapshot, hex. */
  readonly sha256: string;
  /** Events in the training range. */
  readonly rows: number;
  /** ISO 8601 times of the first and the last training event. */
  readonly from: string;
  readonly through: string;
  /** What was left out of it because of whom it came from; absent when nothing was. */
  readonly setAside?: SetAside | undefined;
}

export interface TrainingCost {
  /** Wall-clock seconds of the final fit, without the search. */
  readonly fitSeconds: number;
  readonly searchSeconds: number;
  /** Largest resident set of the training process while it made this version, MB. */
  readonly peakMemoryMb: number;
  readonly artifactBytes: number;
  /** CPU milliseconds a recommendation takes, measured in the training process. */
  readonly cpuMsPerRequest: number;
  /** The same over what a phase-1 list takes in the same process: comparable between versions. */
  readonly relativeCost: number;
  /** What was live then, on the same requests in the same process; absent when nothing was, or it did not load. */
  readonly beside?: { readonly version: string; readonly cpuMsPerRequest: number } | undefined;
  /** 99th percentile of a recommendation, milliseconds. */
  readonly p99Ms: number;
}

/** One hyper-parameter trial of a search: every one is kept. */
export interface Trial {
  readonly params: Params;
  readonly seed: number;
  /** Validation nDCG@10; 0 of a trial that failed. */
  readonly score: number;
  readonly seconds: number;
  /** Share of its budget parameters (epochs) that it was fitted with, 0 … 1. */
  readonly budget: number;
  /** Why it has no score, where it has none. */
  readonly failure?: string | undefined;
}

/** What a search ended in: its best trial, or the parameters it started from where the best leads by too little. */
export interface Choice {
  readonly took: "best" | "start";
  /** Validation nDCG@10 of the best trial beyond the start's, paired over the users; null where there are not both. */
  readonly lead: { readonly mean: number; readonly standardError: number; readonly users: number } | null;
  /** In words. */
  readonly why: string;
}

/** Where the arrays of a model that was not trained here came from. */
export interface ImportOrigin {
  /** Name of the file, and the SHA-256 of its bytes, hex. */
  readonly file: string;
  readonly sha256: string;
  /** ISO 8601: what its trainer says was its last event; null when nobody said. */
  readonly trainedThrough: string | null;
  /** False when it may have learned from the holdout: its offline figures then judge nothing. */
  readonly judgedOffline: boolean;
}

/**
 * What is known of a version besides its arrays. Stored beside them; its own hash is kept in the registry.
 * The version id is content-addressed: `<recipe>-<first 12 hex digits of the SHA-256 of the arrays' file>`.
 */
export interface Manifest {
  readonly formatVersion: 1;
  readonly version: string;
  readonly phase: Phase;
  readonly recipe: string;
  readonly params: Params;
  readonly seed: number;
  readonly data: DataProvenance;
  readonly code: { readonly version: string; readonly git: string };
  readonly offline: EvaluationSummary;
  /** Of a compressed model: its fit for the holdout, against the same kept exactly. */
  readonly compression?: CompressionLoss | undefined;
  readonly training: TrainingReport;
  readonly trials: readonly Trial[];
  /** Of a version whose parameters were searched. */
  readonly choice?: Choice | undefined;
  readonly cost: TrainingCost;
  readonly items: number;
  /** Of a model that was trained elsewhere. */
  readonly imported?: ImportOrigin | undefined;
  /** Of model.safetensors, hex, and its size. */
  readonly sha256: string;
  readonly bytes: number;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** What a version id may look like; also what a route accepts, so no path can be smuggled in. */
export const VERSION_PATTERN = "^[a-z0-9][a-z0-9._-]{0,63}$";
