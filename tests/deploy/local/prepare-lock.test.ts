import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const local = fileURLToPath(new URL("../../../../deploy/local/", import.meta.url));
const root = await mkdtemp(join(tmpdir(), "phasewise-prepare-"));
after(() => rm(root, { recursive: true, force: true }));

const STATE = join(root, ".phasewise");
const LOCK = join(STATE, "prepare.pid");
await cp(local, join(root, "deploy", "local"), { recursive: true });
await mkdir(join(root, "node_modules"));
await mkdir(STATE);
for (const lockfile of ["package-lock.json", "node_modules/.package-lock.json"]) {
  await writeFile(join(root, lockfile), JSON.stringify({ packages: {} }));
}

/** Begins to prepare the project, whose build is `script`. */
async function beginToPrepare(script: string): Promise<ChildProcess> {
  await writeFile(join(root, "deploy", "local", "build.mjs"), script);
  const command = 'import { prepare } from "./deploy/local/prepare.mjs"; prepare();';
  return spawn(process.execPath, ["--input-type=module", "-e", command], {
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
  });
}

/** How a command ended, and what it said until then. */
async function endOf(command: ChildProcess): Promise<{ status: number; said: string }> {
  const [said, [status]] = await Promise.all([text(command.stderr as Readable), once(command, "exit")]);
  return { status, said };
}

test("a build that fails leaves no lock behind", async () => {
  const { status, said } = await endOf(await beginToPrepare("process.exit(1);"));
  assert.equal(status, 1);
  assert.match(said, /The build failed/);
  assert.deepEqual(await readdir(STATE), []);
});

test("a lock whose command was killed is taken over", async () => {
  const killed = spawn(process.execPath, ["-e", ""]);
  await once(killed, "exit");
  await writeFile(LOCK, String(killed.pid));
  const { status, said } = await endOf(await beginToPrepare('console.log("built in the end");'));
  assert.equal(status, 0);
  assert.match(said, /^Building …\nbuilt in the end\n$/);
  assert.deepEqual(await readdir(STATE), []);
});

test("a second command says that it waits, and builds when the first has ended", async () => {
  const running = join(root, "first-runs");
  await writeFile(running, "");
  const untilItsEnd = `process.stdin.resume().on("end", () => require("fs").rmSync(${JSON.stringify(running)}))`;
  const first = spawn(process.execPath, ["-e", untilItsEnd], { stdio: ["pipe", "ignore", "inherit"] });
  await writeFile(LOCK, String(first.pid));
  const build = `import { existsSync } from "node:fs"; process.exit(existsSync(${JSON.stringify(running)}) ? 1 : 0);`;
  const second = await beginToPrepare(build);
  const end = endOf(second);
  await once(second.stderr as Readable, "data");
  first.stdin.end();
  const { status, said } = await end;
  assert.equal(status, 0, said);
  assert.match(said, /^Waiting for another command .*\nBuilding …\n$/);
});
