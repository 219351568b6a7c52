import assert from "node:assert/strict";
import { cp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Readiness } from "../../services/serving/routes/health.ts";
import { eventually } from "../support/eventually.ts";
import { type Running, type Service, startService } from "../support/service.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
/** What the service promises is thirty seconds; a busy machine may need longer to start processes. */
const SEEN_WITHIN_MS = 60_000;

describe("F27: a worker that is dead, frozen, or of another code version", () => {
  let service: Service;
  let url: string;
  let worker: Running;

  const status = async () => (await (await fetch(`${url}/readyz`)).json()) as Readiness;
  const seen = (alive: number, otherCode = 0) =>
    eventually(
      async () => {
        const { workers } = await status();
        return workers?.alive === alive && workers.otherCode === otherCode;
      },
      `${alive} alive, ${otherCode} of other code`,
      SEEN_WITHIN_MS,
    );
  const metric = async (name: string): Promise<string | undefined> => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return text.split("\n").find((line) => line.startsWith(`${name} `));
  };

  before(async () => {
    service = await startService({});
    ({ url } = await service.startApi());
    worker = await service.startWorker();
  });
  after(() => service.stop());

  it("is heard of while it lives, and nothing is wrong", async () => {
    await seen(1);
    assert.deepEqual((await status()).problems, []);
    assert.equal(await metric("phasewise_workers_alive"), "phasewise_workers_alive 1");
  });

  it("is missed in API, metrics and command line when it is frozen, and found again", async () => {
    worker.process.kill("SIGSTOP");
    await seen(0);
    assert.match(
      (await status()).problems.join(),
      /workers: expected at least one, got none.*phasewise work/,
    );
    assert.equal(await metric("phasewise_workers_alive"), "phasewise_workers_alive 0");
    const told = await service.cli(["status"], url);
    assert.equal(told.code, 1);
    assert.match(told.stdout, /! workers: expected at least one, got none/);
    assert.match((await service.cli(["ladder"], url)).stderr, /workers: expected at least one, got none/);
    worker.process.kill("SIGCONT");
    await seen(1);
    assert.equal((await service.cli(["status"], url)).stdout.includes("!"), false);
  });

  it("is missed when it is killed, and at once when it was told to stop", async () => {
    await worker.stop("SIGKILL");
    await seen(0);
    worker = await service.startWorker();
    await seen(1);
    await worker.stop();
    await seen(0);
  });

  it("is named when it runs other code than the API", async () => {
    const other = join(service.home, "other");
    await cp(join(ROOT, "dist"), join(other, "dist"), { recursive: true });
    await symlink(join(ROOT, "node_modules"), join(other, "node_modules"));
    const about = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as object;
    await writeFile(join(other, "package.json"), JSON.stringify({ ...about, version: "9.9.9" }));
    const stranger = await service.startWorker(join(other, "dist", "jobs", "worker.js"));
    await seen(1, 1);
    assert.match(
      (await status()).problems.join(),
      /workers: expected code .* got 9\.9\.9 .* in 1 of 1; restart/,
    );
    assert.equal(await metric("phasewise_workers_other_code"), "phasewise_workers_other_code 1");
    await stranger.stop();
    await seen(0);
    await rm(other, { recursive: true });
  });
});
