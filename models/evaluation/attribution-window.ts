export interface WindowOptions {
  /** A request's window opens with the first event after it, and lasts at most this long. */
  readonly windowMs: number;
  /**
   * It also closes with this many events, however soon they come; 0 for time alone. Then who does much enters
   * before who does little, so that it suits a replay, whose end would leave windows open, more than live traffic.
   */
  readonly windowEvents: number;
  /** Latest event time seen anywhere, epoch milliseconds: the clock of the windows. */
  readonly watermark: number;
}

export interface ClosedWindow {
  /** Epoch milliseconds of event time. */
  readonly opensAt: number;
  readonly closesAt: number;
  /** What arrived after this came too late, whatever its time. */
  readonly lastSequence: number;
}

/** The window of a request that saw a history through `historyThrough`; null while it is open. */
export function closedWindow(
  events: readonly { readonly sequence: number; readonly timestamp: number }[],
  historyThrough: number,
  { windowMs, windowEvents, watermark }: WindowOptions,
): ClosedWindow | null {
  const following = events.filter(({ sequence }) => sequence > historyThrough);
  if (following.length === 0) return null;
  const opensAt = following[0].timestamp;
  const closesAt = opensAt + windowMs;
  if (windowEvents > 0 && following.length >= windowEvents) {
    const counted = following.slice(0, windowEvents);
    const reached = Math.max(...counted.map(({ timestamp }) => timestamp));
    const { sequence: lastSequence } = counted[windowEvents - 1];
    if (reached <= closesAt) return { opensAt, closesAt: reached, lastSequence };
  }
  return watermark < closesAt ? null : { opensAt, closesAt, lastSequence: Number.POSITIVE_INFINITY };
}
