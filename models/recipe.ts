import Type, { type Static, type TSchema } from "typebox";
import type { ItemId } from "./data/ids.ts";
import type { TrainingSet } from "./data/interaction-matrix.ts";
import type { Vocabulary } from "./data/vocabulary.ts";
import type { OnProgress } from "./long-work.ts";

/** A rung of the ladder; a higher number is a more complex family. */
export const Phase = Type.Enum([1, 2, 3, 4], {
  type: "integer",
  description: "a phase of the ladder: 1, 2, 3 or 4",
});
export type Phase = Static<typeof Phase>;

export type Params = Readonly<Record<string, unknown>>;

/**
 * What the times of the events tell about those to be foreseen:
 *   time   these come after all that is known
 *   user   these come after what is known of the same user, whenever that was
 *   none   nothing
 */
export type DataOrder = "time" | "user" | "none";

export type TypedArray = Float32Array | Int32Array | Uint32Array | Int8Array | Uint8Array;

/** A model's weights: plain arrays with their shapes, row-major. */
export interface NamedArray {
  readonly shape: readonly number[];
  readonly data: TypedArray;
}
export type NamedArrays = Readonly<Record<string, NamedArray>>;

/** A history in the model's own dense item indices, oldest first, unknown items dropped, each item once. */
export interface EncodedHistory {
  readonly items: Uint32Array;
  readonly weights: Float32Array;
  /** Epoch milliseconds. */
  readonly timestamps: Float64Array;
}

/** The heart of a model: one number for every item of its vocabulary. */
export interface ItemScorer {
  /**
   * Scores (items) for a history, which may be empty. The returned array is the scorer's own buffer: valid
   * until the next call. Null means "this history tells me nothing"; the popularity floor then answers.
   * The caller refuses non-finite scores with NonFiniteScoreError before they can reach a ranking.
   */
  scoreItems(history: EncodedHistory): Float32Array | null;
  /**
   * Whether the scores of a history are the sum of what its entries say: then what the user is against is scored the same
   * way and taken off.
   */
  readonly additive?: boolean | undefined;
  /** A cheaper way to the best items, for catalogues so large that scoring all of them is the slow part. */
  readonly bounded?: BoundedScorer | undefined;
}

/** Scores some items exactly instead of all: those that upper bounds leave in question. */
export interface BoundedScorer {
  /** Upper bounds (items) of what `scoreItems` would give; null, and whose buffer it is, as there. */
  boundItems(history: EncodedHistory): Float32Array | null;
  /** What `scoreItems` would give to these items, bit for bit, for the history that was last bounded. */
  scoresOf(items: Uint32Array): Float32Array;
}

export interface FitOptions {
  readonly seed: number;
  /** Threads the fit may use (default 1). On native TensorFlow the last bits depend on it, elsewhere nothing does. */
  readonly threads?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Where a long fit keeps its state, so that a killed one goes on and ends with the very same arrays. */
  readonly checkpoint?: CheckpointStore | undefined;
  /** An earlier fit of the same recipe to start from; recipes that cannot, start afresh. */
  readonly warmStart?: WarmStart | undefined;
}

/** The arrays of an earlier version. Part of what decides a fit: data, parameters, seed and this give the same arrays. */
export interface WarmStart {
  readonly version: string;
  readonly items: Vocabulary<ItemId>;
  readonly arrays: NamedArrays;
}

/** Holds the latest state of one fit. Opaque bytes: the recipe refuses those of another data set or parameters. */
export interface CheckpointStore {
  load(): Promise<Uint8Array | null>;
  save(bytes: Uint8Array): Promise<void>;
}

/** What fitting had to say for itself; goes into the manifest and the model card. */
export interface TrainingReport {
  readonly epochs: number;
  /** Training loss after each epoch, where the recipe has one. */
  readonly losses: readonly number[];
  /** Whether the loss was still falling when training stopped. */
  readonly stillImproving: boolean;
  /** Engine that did the work, e.g. "tfjs-wasm", "simd", "javascript". */
  readonly backend: string;
  /** Version whose arrays it started from, where it did. */
  readonly warmStart?: string | undefined;
}

export interface Fitted {
  readonly arrays: NamedArrays;
  readonly report: TrainingReport;
}

/** One hyper-parameter's range in a search. */
export type Dimension =
  | { readonly kind: "log"; readonly low: number; readonly high: number; readonly integer?: boolean }
  | { readonly kind: "linear"; readonly low: number; readonly high: number; readonly integer?: boolean }
  | { readonly kind: "choice"; readonly values: readonly (string | number | boolean)[] };

export type SearchSpace = Readonly<Record<string, Dimension>>;

/** Something that may improve a recipe and can be switched off, so that its gain can be measured. */
export interface Lever {
  readonly name: string;
  /** What it does, in words, for the model card. */
  readonly summary: string;
  /** Parameters that switch it off. */
  readonly off: Params;
  /** Parameters that switch it on in a model that does without it. */
  readonly on: Params;
}

/**
 * A named algorithm of a phase. `fit` is pure: same data, parameters and seed give the same arrays.
 * `scorer` must rebuild the very same scores from the arrays alone.
 *
 * A `Recipe<AlsParams>` is a `Recipe`: `fit` and `scorer` are methods, whose parameters TypeScript does not compare
 * strictly. Sound, because parameters reach a recipe only as its own defaults overlaid with values its schema accepted.
 */
export interface Recipe<P extends Params = Params> {
  readonly name: string;
  readonly phase: Phase;
  /** One line for the ladder table and the model card. */
  readonly summary: string;
  /** TypeBox schema of the parameters, each with a description and a unit. */
  readonly schema: TSchema;
  readonly defaults: P;
  /** What to use instead where the data has no order in time to learn from, as in random splits. */
  readonly unorderedDefaults?: Partial<P>;
  /** What to use instead where each user is asked about a time of their own, so that none is everybody's "now". */
  readonly undatedDefaults?: Partial<P>;
  /** What `--tune` searches; empty when there is nothing to tune. */
  readonly space: SearchSpace;
  /** Matrices of item vectors that may be stored as int8, each with the parameter that asks for it (default none). */
  readonly compressible?: Readonly<Record<string, string>>;
  /**
   * Whole-numbered parameters in proportion to which a fit takes long (epochs): a search may give its trials a share of
   * them first. Without, every trial is fitted in full.
   */
  readonly budget?: readonly string[];
  /** What may be measured apart (default none); the search of the other parameters is always one more. */
  readonly levers?: readonly Lever[];
  fit(train: TrainingSet, params: P, options: FitOptions): Promise<Fitted>;
  scorer(arrays: NamedArrays, params: P): ItemScorer;
}

export class NonFiniteScoreError extends Error {
  constructor(recipe: string, index: number, score: number) {
    super(
      `${recipe}: expected finite scores, got ${score} for item index ${index}; the model must not be served`,
    );
    this.name = "NonFiniteScoreError";
  }
}
