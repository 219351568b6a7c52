import { placeOf } from "./assignment.ts";

/**
 * Who is shadowed, where there are more users than verdicts need: those whose place, a hash of the user id in [0, 1),
 * lies in a window of the circle that is `share` wide. A user's requests are all in or all out. The window moves on by
 * its own width each panel period: whoever it comes upon is in for one period, and as many follow, so that a finite
 * number of users is never used up. What moves it is the clock, never what anybody did.
 */
export interface PanelDraw {
  readonly share: number;
  /** Where the window began at the time `at`, epoch milliseconds. */
  readonly from: number;
  readonly at: number;
}

export const EVERYBODY: PanelDraw = { share: 1, from: 0, at: 0 };

export function isDrawn(draw: PanelDraw, user: string, now: number, periodMs: number): boolean {
  return draw.share >= 1 || isInWindow(draw, panelPlace(user), now, periodMs);
}

export function panelPlace(user: string): number {
  return placeOf(user, "panel");
}

export function isInWindow(draw: PanelDraw, place: number, now: number, periodMs: number): boolean {
  return draw.share >= 1 || onCircle(place - windowStart(draw, now, periodMs)) < draw.share;
}

export interface DrawLimits {
  /** Users wanted in the window at once. */
  readonly wanted: number;
  readonly periodMs: number;
}

/**
 * The window for the users that were found in it: narrower when they are too many, at once; twice as wide when they are
 * fewer than half, once it has stood for a whole period and so has shown all that it holds. Null when it stays.
 */
export function nextDraw(
  draw: PanelDraw,
  users: number,
  now: number,
  { wanted, periodMs }: DrawLimits,
): PanelDraw | null {
  const from = draw.share < 1 ? windowStart(draw, now, periodMs) : 0;
  if (users > wanted) return { share: (Math.min(draw.share, 1) * wanted) / users, from, at: now };
  const isSettled = now - draw.at >= periodMs;
  if (draw.share >= 1 || !isSettled || users >= wanted / 2) return null;
  return { share: Math.min(1, 2 * draw.share), from, at: now };
}

function windowStart({ share, from, at }: PanelDraw, now: number, periodMs: number): number {
  return onCircle(from + (share * (now - at)) / periodMs);
}

function onCircle(place: number): number {
  return place - Math.floor(place);
}
