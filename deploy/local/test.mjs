/**
 * `npm test [-- FILTER … --FLAGS …]`: every compiled test under node's own runner. A word keeps the test files
 * whose path contains it; a flag goes to node, e.g. --test-name-pattern=snapshot.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { prepare } from "./prepare.mjs";
import { findRedisServer, REMEDY } from "./redis.mjs";
import { fail, ROOT } from "./shell.mjs";

prepare();
// By this name: the tests start their own servers.
const redisServer = findRedisServer(process.env.PATH, ["redis-server"]);
if (redisServer === null) fail(REMEDY);

const words = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const flags = process.argv.slice(2).filter((argument) => argument.startsWith("-"));
const files = readdirSync(join(ROOT, "dist", "tests"), { recursive: true })
  .map((name) => join("dist", "tests", name))
  .filter((path) => path.endsWith(".test.js") && sourceExists(path))
  .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
  .sort();
if (files.length === 0) fail(`No test file matches ${words.join(" ")}.`);

/** A test that hangs fails, and does not hold up all the others for ever. */
const LONGEST_TEST_MS = 900_000;
const timeout = flags.some((flag) => flag.startsWith("--test-timeout"))
  ? []
  : [`--test-timeout=${LONGEST_TEST_MS}`];
const concurrency = flags.some((flag) => flag.startsWith("--test-concurrency"))
  ? []
  : ["--test-concurrency=2"];
const reporter = flags.some((flag) => flag.startsWith("--test-reporter")) ? [] : ["--test-reporter=spec"];
const runner = spawn(
  process.execPath,
  ["--test", ...timeout, ...concurrency, ...reporter, ...flags, ...files],
  {
    cwd: ROOT,
    stdio: "inherit",
    env: { ...process.env, PATH: `${dirname(redisServer)}:${process.env.PATH}` },
  },
);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => runner.kill(signal));
runner.once("exit", (status) => process.exit(status ?? 1));

/** A compiled test whose source was removed is not run. */
function sourceExists(path) {
  return existsSync(join(ROOT, relative("dist", path).replace(/\.js$/, ".ts")));
}
