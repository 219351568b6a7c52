import { Worker } from "node:worker_threads";

/** For a process that was started with a channel to its parent: when that goes, it ends as if it had been told to. */
export function stopWithParent(): void {
  if (process.connected) process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
}

/** How often the thread below looks, milliseconds. */
const LOOK_EVERY_MS = 200;

/**
 * For a process that computes for seconds on end and hears nothing meanwhile: a thread beside it looks whether its parent
 * is still there, and kills it when it is not.
 */
export function dieWithParent(parent: number): void {
  const watching = `
    const { workerData: { parent, everyMs } } = require("node:worker_threads");
    setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, "SIGKILL"); }, everyMs);`;
  const workerData = { parent, everyMs: LOOK_EVERY_MS };
  new Worker(watching, { eval: true, workerData }).unref();
}
