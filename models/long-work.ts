/* What every computation that takes long owes the rest: it says how far it is, and it gives way. */

export interface Progress {
  /** 0 … 1. */
  readonly fraction: number;
  readonly message: string;
}

export type OnProgress = (progress: Progress) => void;

/** Reports a part of the work, its own 0 … 1, as the stretch `from` … `to` of the whole, under its name. */
export function partOf(
  whole: OnProgress | undefined,
  { name, from, to }: { readonly name: string; readonly from: number; readonly to: number },
): OnProgress {
  return ({ fraction, message }) =>
    whole?.({
      fraction: from + (to - from) * fraction,
      message: message === "" ? name : `${name}, ${message}`,
    });
}

/** Lets signals, timers and messages of the process have their turn: a fit holds the event loop between two steps. */
export function yieldToEvents(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
