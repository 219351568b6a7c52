import { createHash } from "node:crypto";

/**
 * A place in [0, 1) that an id keeps for ever: sampling, canaries and interleaving take everything below their
 * share, so a larger share always contains a smaller one. The salt keeps two uses independent of each other.
 */
export function placeOf(id: string, salt: string): number {
  const digest = createHash("sha256").update(salt).update("\0").update(id).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}

export function isAssigned(id: string, salt: string, share: number): boolean {
  // Every place is below 1 and none below 0: nothing to work out.
  if (share >= 1) return true;
  return share > 0 && placeOf(id, salt) < share;
}
