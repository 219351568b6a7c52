/** Makes the checkout runnable: Node version, dependencies, build. Does nothing when all is fresh. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "./lock.mjs";
import { fail, ROOT, run, say } from "./shell.mjs";

const OLDEST_NODE = [20, 19, 0];
const SOURCES = ["models", "services", "jobs", "deploy", "tests", "tsconfig.json", "package.json"];
const LOCK_WAIT_MS = 180_000;

export function nodeIsRecent(version) {
  const parts = version.replace(/^v/, "").split(".").map(Number);
  for (let part = 0; part < OLDEST_NODE.length; part++) {
    if (parts[part] !== OLDEST_NODE[part]) return parts[part] > OLDEST_NODE[part];
  }
  return true;
}

/** Whether what npm installed differs from the lockfile. Contents, not times: a git checkout touches every file. */
export function dependenciesAreStale(root) {
  const wanted = packagesOf(join(root, "package-lock.json"));
  const installed = packagesOf(join(root, "node_modules", ".package-lock.json"));
  if (installed === null || wanted === null) return installed === null;
  return Object.entries(wanted).some(
    ([path, entry]) => path !== "" && !entry.optional && installed[path]?.version !== entry.version,
  );
}

function packagesOf(lockfile) {
  return existsSync(lockfile) ? JSON.parse(readFileSync(lockfile, "utf8")).packages : null;
}

/** build.mjs leaves a stamp with the time it began, and only when all of it succeeded. */
export function buildIsStale(root) {
  const stamp = join(root, "dist", ".built");
  if (!existsSync(stamp)) return true;
  const builtMs = modifiedMs(stamp);
  return SOURCES.some((source) => newerThan(join(root, source), builtMs));
}

/** A file or a folder with anything in it (also a removed file: its folder changed) later than `timeMs`. */
function newerThan(path, timeMs) {
  if (!existsSync(path)) return false;
  if (modifiedMs(path) > timeMs) return true;
  if (!statSync(path).isDirectory()) return false;
  return readdirSync(path).some((name) => newerThan(join(path, name), timeMs));
}

const modifiedMs = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

export function prepare() {
  if (!nodeIsRecent(process.versions.node)) {
    fail(
      `Phasewise needs Node.js ${OLDEST_NODE.join(".")} or newer, got ${process.versions.node}: https://nodejs.org`,
    );
  }
  if (!dependenciesAreStale(ROOT) && !buildIsStale(ROOT)) return;
  const alone = join(ROOT, ".phasewise", "prepare.pid");
  if (!withLock(alone, LOCK_WAIT_MS, installAndBuild)) {
    fail(
      `Another command has been installing or building for minutes. If none is, remove ${alone} and try again.`,
    );
  }
}

/** Two commands started together must not install or build into the same folder: the second finds all fresh. */
function installAndBuild() {
  if (dependenciesAreStale(ROOT)) {
    say("Installing dependencies (npm ci), a minute the first time …");
    if (run("npm", ["ci", "--no-audit", "--no-fund"]) !== 0) {
      fail("npm ci failed (see above). Check the network and the npm registry, then run the command again.");
    }
  }
  if (buildIsStale(ROOT)) {
    say("Building …");
    if (run(process.execPath, [join("deploy", "local", "build.mjs")]) !== 0) {
      fail("The build failed (see above).");
    }
  }
}
