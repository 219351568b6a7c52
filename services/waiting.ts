import { setTimeout as pause } from "node:timers/promises";

/**
 * Does `work`, and rejects with what `late` makes once `timeoutMs` have passed. The work goes on, and its
 * result is dropped; the signal is aborted, so that work of several steps need not begin the next.
 */
export async function inTime<T>(
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
  late: () => Error,
): Promise<T> {
  const ended = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = late();
      reject(error);
      ended.abort(error);
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(ended.signal), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for `work`, at most so long. False when it has not ended by then; it then goes on, and its result is dropped. */
export async function endsWithin(timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController();
  const tooLate = pause(timeoutMs, false, { signal: timer.signal }).catch(() => false);
  try {
    return await Promise.race([work.then(() => true), tooLate]);
  } finally {
    timer.abort();
  }
}

/**
 * Does `work` until it succeeds.
 *
 * @param pauseMs how long to wait after the attempt of this number, from 1, has failed; null to give up with its error
 */
export async function retry<T>(
  work: () => Promise<T>,
  pauseMs: (attempt: number, error: unknown) => number | null,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const ms = pauseMs(attempt, error);
      if (ms === null) throw error;
      await pause(ms);
    }
  }
}

/**
 * Does `work` now and again and again, with a pause after each time, whatever came of it, until it is closed. Keeps no
 * process running.
 */
export function again(
  pauseMs: number,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): { close(): void } {
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const once = (): void => {
    work()
      .catch(onError)
      .finally(() => {
        if (!closed) timer = setTimeout(once, pauseMs).unref();
      });
  };
  once();
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
}
