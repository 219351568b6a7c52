import type { LivePointer } from "../registry/types.ts";
import type { RegistryLoss } from "./wanted-pointer.ts";

export const NOTHING_LIVE =
  "no model is live yet: expected a first promotion; train and promote a model of phase 1";

/** A version that should be served and does not load. */
export interface Unservable {
  readonly version: string;
  readonly reason: string;
}

export interface Plight {
  readonly unservable: Unservable | null;
  readonly loss: RegistryLoss | null;
  readonly wanted: LivePointer | null;
  /** The version that answers. */
  readonly served: string | null;
}

/** Why something else answers than what should, in words with the remedy; null when all is as it should be. */
export function troubleOf({ unservable, loss, wanted, served }: Plight): string | null {
  if (unservable !== null) {
    const { version, reason } = unservable;
    const instead = served === null ? "nor can what a rollback returns to" : `${served} answers instead`;
    return `${version} should be live and cannot be served (${reason}); ${instead}: restore its folder from a copy, or roll back`;
  }
  if (loss === null) return null;
  const says =
    loss.says === null ? "nothing is live" : `${loss.says.version} is live at epoch ${loss.says.epoch}`;
  const had = served === null ? "" : `, and ${served} goes on, which it had at epoch ${wanted?.epoch}`;
  return `Redis has lost what it knew: it says that ${says}${had}; promote what is to be live`;
}
