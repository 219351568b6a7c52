import type { RuledCase } from "./ruling.ts";

/** Where an attempt stood at its last ruling, for as long as nothing of note has come since. */
export interface Standing {
  /** Changes with anything that could turn a verdict at once: a fault, a suspicion, another policy. */
  readonly notable: string;
  /** Users and requests that were ruled on. */
  readonly users: number;
  readonly asked: number;
  readonly ruled: RuledCase<"shadow">;
}

/** Below so many users every one is ruled on at once; beyond, when they have grown by this share. */
const FEW = 200;
const GROWTH = 0.01;
/** Where another attempt was ruled on in the same look, this one may wait for the next. */
const GROWTH_IN_TURN = 0.02;

/**
 * Whether the last ruling still says it all. A test may be looked at after any user one likes, so that with thousands of
 * them looking after each hundredth only costs nothing but a moment, and saves ruling on all of them at every look.
 */
export function stillStands(known: Standing, now: Omit<Standing, "ruled">, othersRuled: boolean): boolean {
  if (known.notable !== now.notable || known.ruled.ruling.verdict !== "hold") return false;
  const growth = othersRuled ? GROWTH_IN_TURN : GROWTH;
  return isLike(known.users, now.users, growth) && isLike(known.asked, now.asked, growth);
}

/** Whether so many are hardly more than those before. */
export function isLike(before: number, now: number, growth = GROWTH): boolean {
  return now === before || (before >= FEW && now >= before && now < before * (1 + growth));
}
