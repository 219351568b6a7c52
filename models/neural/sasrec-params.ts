import Type from "typebox";
import { type Compression, compressionSchema } from "../arrays/compression.ts";
import { ALL_TIME_DAYS } from "../popularity/popularity.ts";
import type { SearchSpace } from "../recipe.ts";

/** A type, not an interface: parameters pass as plain records. */
export type SasrecParams = {
  readonly embeddingSize: number;
  readonly blocks: number;
  readonly maxLength: number;
  readonly dropout: number;
  readonly learningRate: number;
  readonly reg: number;
  readonly batchSize: number;
  readonly negatives: number;
  readonly halfLifeDays: number;
  readonly stride: number;
  readonly shuffled: boolean;
  readonly epochs: number;
  readonly maxEvents: number;
  readonly patience: number;
  readonly refitEpochs: number;
  readonly compression: Compression;
};

const count = (description: string, minimum = 1) => Type.Integer({ minimum, description });

export const sasrecSchema = Type.Object(
  {
    embeddingSize: count("Dimensions of an item vector"),
    blocks: count("Attention blocks"),
    maxLength: count("Latest items of a history that are read"),
    dropout: Type.Number({ minimum: 0, exclusiveMaximum: 1, description: "Share of activations dropped" }),
    learningRate: Type.Number({ exclusiveMinimum: 0, description: "Adam's largest step size" }),
    reg: Type.Number({ minimum: 0, description: "Decoupled weight decay" }),
    batchSize: count("Windows a step"),
    negatives: count(
      "Shared negatives a step, drawn by popularity; a catalogue no larger than this gets the full softmax",
    ),
    halfLifeDays: Type.Number({
      exclusiveMinimum: 0,
      description: "Days after which an event counts half in the popularity that serving assumes",
    }),
    stride: count("Events between the ends of two windows of one user"),
    shuffled: Type.Boolean({
      description:
        "Whether each epoch deals every history out in another order: for data without order in time",
    }),
    epochs: count("Most epochs to train"),
    maxEvents: count("Most events learned from in all epochs together: larger data gets fewer, at least one"),
    patience: count("Epochs without a better validation before training stops; 0: no validation", 0),
    refitEpochs: count("Epochs over all the data that follow the best one", 0),
    compression: compressionSchema,
  },
  { additionalProperties: false },
);

export const sasrecDefaults: SasrecParams = {
  embeddingSize: 64,
  blocks: 2,
  maxLength: 50,
  dropout: 0.3,
  learningRate: 2e-3,
  reg: 0,
  batchSize: 32,
  negatives: 128,
  halfLifeDays: 180,
  stride: 50,
  shuffled: false,
  epochs: 20,
  maxEvents: 8_000_000,
  patience: 0,
  refitEpochs: 1,
  compression: "none",
};

/**
 * Without order a window may be long, as none of its items is nearer than another, and a user's is the whole history;
 * every position then learns from all that are left, which carries larger steps.
 */
export const unorderedSasrec: Partial<SasrecParams> = {
  shuffled: true,
  halfLifeDays: ALL_TIME_DAYS,
  maxLength: 200,
  stride: 200,
  batchSize: 16,
  negatives: 2000,
  dropout: 0.2,
  learningRate: 4e-3,
};

export const sasrecSpace: SearchSpace = {
  dropout: { kind: "linear", low: 0.1, high: 0.5 },
  learningRate: { kind: "log", low: 5e-4, high: 1e-2 },
  reg: { kind: "log", low: 1e-4, high: 0.3 },
  maxLength: { kind: "choice", values: [30, 50, 100] },
};
