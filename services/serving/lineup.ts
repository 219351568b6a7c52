import type { Recommendation } from "../../models/recommender.ts";
import type { LivePointer } from "../registry/types.ts";
import type { ServedModel } from "./served-model.ts";

/** Everything that answers requests in this replica, all in memory; immutable. */
export interface Lineup {
  readonly epoch: number;
  /** Epoch at which `live` went live; the steps of a canary leave it. */
  readonly liveEpoch: number;
  readonly live: ServedModel;
  readonly previous: ServedModel | null;
  readonly floor: ServedModel | null;
  readonly canary: ServedCanary | null;
}

/** The version that a share of the users is on. */
export interface ServedCanary {
  readonly model: ServedModel;
  readonly share: number;
}

export interface Answer {
  readonly recommendation: Recommendation;
  readonly model: ServedModel;
  /** Whether `model` answered as the canary: what follows says nothing about the live version. */
  readonly canary: boolean;
}

export function modelIn(lineup: Lineup | null, version: string | null | undefined): ServedModel | null {
  if (lineup === null) return null;
  const { live, previous, floor, canary } = lineup;
  return [live, previous, floor, canary?.model ?? null].find((model) => model?.version === version) ?? null;
}

export function canaryOf({ canary }: LivePointer, model: ServedModel | null): ServedCanary | null {
  return canary === null || model === null ? null : { model, share: canary.share };
}
