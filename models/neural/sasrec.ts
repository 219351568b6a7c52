import { decompressed } from "../arrays/compression.ts";
import { ALL_TIME_DAYS } from "../popularity/popularity.ts";
import type { Recipe } from "../recipe.ts";
import { type Engine, loadBackend } from "./backend.ts";
import { ForwardPass } from "./forward.ts";
import {
  type SasrecParams,
  sasrecDefaults,
  sasrecSchema,
  sasrecSpace,
  unorderedSasrec,
} from "./sasrec-params.ts";
import { train } from "./training.ts";
import { weightsFrom } from "./weights.ts";

/**
 * Self-attentive sequential recommendation: a causal transformer over a user's latest items foresees the next one.
 * TensorFlow is loaded inside `fit` only; what is served are plain arrays.
 * Source: Kang & McAuley 2018, arXiv 1808.09781.
 */
export const sasrec: Recipe<SasrecParams> = sasrecOn();

/** The recipe as it trains on an engine; without one on the best that loads. */
export function sasrecOn(engine?: Engine): Recipe<SasrecParams> {
  return {
    name: "sasrec",
    phase: 4,
    summary: "self-attention over the latest items, trained with TensorFlow.js",
    schema: sasrecSchema,
    defaults: sasrecDefaults,
    unorderedDefaults: unorderedSasrec,
    undatedDefaults: { halfLifeDays: ALL_TIME_DAYS },
    space: sasrecSpace,
    budget: ["epochs"],
    compressible: { itemEmbedding: "compression" },
    fit: async (trainingSet, params, options) => {
      const { tf, name } = await loadBackend(engine, options.threads);
      const { state, prior, warm } = await train(tf, trainingSet.interactions, params, options);
      const { losses } = state;
      return {
        arrays: { ...state.weights, prior: { shape: [prior.length], data: prior } },
        report: {
          epochs: losses.length,
          losses,
          stillImproving: state.bestEpoch > 0 && state.bestEpoch === state.validation.length,
          backend: name,
          ...(warm && { warmStart: options.warmStart?.version }),
        },
      };
    },
    scorer: (stored, params) => {
      const arrays = decompressed(stored);
      const { weights, shape } = weightsFrom(arrays, params.blocks);
      const prior = arrays.prior?.data;
      if (!(prior instanceof Float32Array) || prior.length !== shape.items) {
        throw new RangeError(`sasrec: expected the float32 array prior of shape ${shape.items}`);
      }
      return new ForwardPass(weights, shape, prior);
    },
  };
}
