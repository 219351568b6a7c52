/** Lets signals, timers and messages of the process have their turn: a fit holds the event loop between two steps. */
export function yieldToEvents(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
