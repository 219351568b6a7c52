/** One of several commands at a time; a lock whose command has ended is nobody's. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { isAlive, say } from "./shell.mjs";

const PAUSE_MS = 200;

/** Does `work` while the file at `path` names this process. False when another has held it for `waitMs`. */
export function withLock(path, waitMs, work) {
  if (!lock(path, waitMs)) return false;
  const unlock = () => rmSync(path, { force: true });
  // `fail` ends the process in the midst of the work, where no `finally` is reached.
  process.once("exit", unlock);
  try {
    work();
    return true;
  } finally {
    process.off("exit", unlock);
    unlock();
  }
}

function lock(path, waitMs) {
  mkdirSync(dirname(path), { recursive: true });
  const deadline = Date.now() + waitMs;
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(path, String(process.pid), { flag: "wx" });
      return true;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    // Whoever was killed, by Ctrl-C too, removed nothing.
    if (isLeftBehind(path)) rmSync(path, { force: true });
    else if (Date.now() > deadline) return false;
    else {
      if (attempt === 0) say("Waiting for another command that is installing or building …");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}

/** An empty file is one whose owner is about to write its id. */
function isLeftBehind(path) {
  try {
    const owner = Number(readFileSync(path, "utf8"));
    return owner > 0 && !isAlive(owner);
  } catch (error) {
    if (error.code === "ENOENT") return false;
    throw error;
  }
}
