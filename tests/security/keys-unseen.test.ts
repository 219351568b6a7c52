import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { withoutKeys } from "../../services/keys/api-key.ts";
import { type Running, type Service, startService } from "../support/service.ts";

/** The command lines of all processes of this machine, as anybody on it may read them. */
async function commandLines(): Promise<string> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const texts = pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => ""));
  return (await Promise.all(texts)).join("\n");
}

describe("keys", () => {
  let service: Service;
  let api: Running & { readonly url: string };
  let log = "";

  before(async () => {
    service = await startService({});
    const aloud = { PHASEWISE_LOG_LEVEL: "trace" };
    api = await service.startApi(aloud);
    for (const { process: running } of [api, await service.startWorker(undefined, aloud)]) {
      running.stderr?.on("data", (chunk) => {
        log += String(chunk);
      });
    }
  });
  after(() => service.stop());

  it("are in no log and in no process list, wherever a caller puts them", {
    skip: process.platform === "linux" ? false : "reads /proc",
  }, async () => {
    let done = false;
    const lists: string[] = [];
    const watching = (async () => {
      while (!done) lists.push(await commandLines());
    })();
    const run = async (...words: string[]): Promise<string> => {
      const { code, stdout, stderr } = await service.cli(words, api.url);
      assert.equal(code, 0, stderr);
      log += stderr;
      return stdout.trim();
    };
    const key = await run("keys", "create", "--name", "shop", "--scopes", "serve,ingest,operate");
    const file = join(service.home, "shop-key");
    await writeFile(file, `${key}\n`);
    await run("ladder", "--key-file", file);

    const bearer = { authorization: `Bearer ${key}` };
    const json = { "content-type": "application/json" };
    const asked: readonly [string, RequestInit?][] = [
      ["/ladder", { headers: bearer }],
      ["/recommend", { headers: { authorization: `Bearer ${key}x` } }],
      ["/recommend", { headers: { authorization: `Basic ${key}` } }],
      [`/recommend?key=${key}`, { headers: bearer }],
      [`/recommend?k=${key}`, { headers: bearer }],
      [`/nowhere?key=${service.key}`],
      [`/nowhere/${key}`],
      [`/models/${key}`, { headers: bearer }],
      ["/recommend", { method: "POST", headers: { ...bearer, ...json }, body: JSON.stringify({ key }) }],
      ["/recommend", { method: "POST", headers: { ...bearer, ...json }, body: `{"k": "${key}"}` }],
      ["/recommend", { method: "POST", headers: { ...bearer, ...json }, body: key }],
    ];
    for (const [path, init] of asked) await (await fetch(api.url + path, init)).arrayBuffer();
    done = true;
    await watching;

    assert.match(log, /request refused/);
    assert.ok(lists.join("\n").includes("serving/server.js"));
    for (const secret of [key, key.slice(-30), service.key]) {
      assert.ok(!log.includes(secret), `in a log: ${log.split("\n").find((line) => line.includes(secret))}`);
      assert.ok(!lists.some((list) => list.includes(secret)), "in a process list");
    }
  });

  it("in a text for a log lose their secret part, and keep the public one", () => {
    const id = "0123456789ab";
    const text = withoutKeys(`key: got "pw_secret_${id}_${"a".repeat(43)}", and pw_publishable_${id}_b-B_9`);
    assert.equal(text, `key: got "pw_secret_${id}_…", and pw_publishable_${id}_…`);
  });
});
