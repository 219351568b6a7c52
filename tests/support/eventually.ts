import { setTimeout as pause } from "node:timers/promises";

/** Waits for a condition by asking again and again; fails after a generous bound that only a hang can reach. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  message = "condition",
  boundMs = 20_000,
): Promise<void> {
  for (let waited = 0; waited < boundMs; waited += 10) {
    if (await condition()) return;
    await pause(10);
  }
  throw new Error(`expected within ${boundMs} ms: ${message}`);
}
