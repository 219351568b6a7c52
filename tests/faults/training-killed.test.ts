import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

const TRAINER = new URL("../support/trainer.js", import.meta.url);
const EPOCHS = 5;

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "training-killed-"));
});
after(() => rm(folder, { recursive: true }));

interface Run {
  readonly epochs: number;
  readonly digest: string | undefined;
  readonly signal: string | null;
}

/** Trains in a process of its own, killed as soon as it reports its `killAt`-th epoch. */
async function train(file: string, killAt = Number.POSITIVE_INFINITY): Promise<Run> {
  const child = fork(TRAINER, [file]);
  let epochs = 0;
  let digest: string | undefined;
  child.on("message", (message: { epoch?: string; digest?: string }) => {
    if (message.epoch !== undefined && ++epochs === killAt) child.kill("SIGKILL");
    digest ??= message.digest;
  });
  const [, signal] = await once(child, "exit");
  return { epochs, digest, signal };
}

test("a network whose training is killed -9 twice resumes and ends with the very arrays of an undisturbed run", async () => {
  const undisturbed = await train(join(folder, "undisturbed"));
  assert.equal(undisturbed.epochs, EPOCHS);
  assert.match(undisturbed.digest ?? "", /^[0-9a-f]{64}$/);

  const file = join(folder, "killed");
  for (let kill = 0; kill < 2; kill++) {
    const killed = await train(file, 2);
    assert.equal(killed.signal, "SIGKILL");
    assert.equal(killed.digest, undefined);
    // The second epoch is only reported after the first one's checkpoint.
    assert.ok(existsSync(file));
  }
  const resumed = await train(file);
  assert.equal(resumed.digest, undisturbed.digest);
  assert.ok(resumed.epochs < EPOCHS, `${resumed.epochs} epochs were trained again`);
});
