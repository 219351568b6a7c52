/** Remembers the running service, so that a start after a kill -9 ends the orphan and a second start is refused. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail, say } from "./shell.mjs";

/** What the command line of a running process says; empty when there is none. Guards against reused pids. */
function commandOf(pid) {
  const { stdout } = spawnSync("ps", ["-ww", "-o", "args=", "-p", String(pid)], { encoding: "utf8" });
  if (stdout) return stdout.trim();
  const file = `/proc/${pid}/cmdline`;
  return existsSync(file) ? readFileSync(file, "utf8").replaceAll("\0", " ").trim() : "";
}

function read(path) {
  try {
    const { starter, service } = JSON.parse(readFileSync(path, "utf8"));
    return Number.isInteger(starter) && Number.isInteger(service) ? { starter, service } : null;
  } catch {
    return null;
  }
}

export function claimRun(folder) {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "run.json");
  const before = read(path);
  if (before !== null) {
    if (before.starter !== process.pid && commandOf(before.starter).includes("start.mjs")) {
      fail(`Phasewise is running already (process ${before.starter}). Stop it with Ctrl-C there first.`);
    }
    if (commandOf(before.service).includes(join("deploy", "demo", "main.js"))) {
      say(`Ending the service that an interrupted run left behind (process ${before.service}).`);
      try {
        process.kill(-before.service, "SIGKILL");
      } catch {
        // It ended by itself in between.
      }
    }
  }
  return {
    keep: (service) => writeFileSync(path, JSON.stringify({ starter: process.pid, service })),
    clear: () => rmSync(path, { force: true }),
  };
}
