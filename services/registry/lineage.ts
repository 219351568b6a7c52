import type { LivePointer } from "./types.ts";

type Place = Pick<LivePointer, "lineage" | "epoch" | "version" | "since">;

export function isSamePointer(a: Place | null, b: Place | null): boolean {
  if (a === null || b === null) return a === b;
  return a.lineage === b.lineage && a.epoch === b.epoch && a.version === b.version && a.since === b.since;
}

/**
 * How a pointer that was read stands to one that was known before. `lost`: Redis came back empty, or older than what it
 * had said already. Within a lineage epochs only grow, so a smaller one is the past; unless it was set later, which is
 * a move made after the loss. Another lineage was begun by a promotion on an empty Redis.
 */
export function standingOf(read: Place | null, known: Place): "same" | "newer" | "lost" {
  if (read === null) return "lost";
  if (isSamePointer(read, known)) return "same";
  if (read.lineage !== known.lineage || read.epoch > known.epoch) return "newer";
  return read.since > known.since ? "newer" : "lost";
}
