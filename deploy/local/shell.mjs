/** What every local command needs: the project's root, running a program, saying something. */
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Progress goes to stderr, so that the stdout of a command is its result alone. */
export const say = (text) => process.stderr.write(`${text}\n`);

/** Ends the command with one line that says what to do. */
export function fail(text) {
  say(text);
  process.exit(1);
}

/** Absolute path of the first of `names` that can be run, or null. */
export function findProgram(names, searchPath = process.env.PATH ?? "") {
  for (const name of names) {
    for (const folder of searchPath.split(delimiter).filter((entry) => entry !== "")) {
      const candidate = join(folder, name);
      try {
        accessSync(candidate, constants.X_OK);
        return candidate;
      } catch {
        // Not here: look in the next folder.
      }
    }
  }
  return null;
}

/** Runs a program to its end and returns its exit code; its stdout joins ours on stderr. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: ROOT,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
    ...options,
  });
  if (error) say(`${command}: ${error.message}`);
  return status ?? 1;
}

/** Whether a process of this id runs. */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
