import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { apiClient } from "../../deploy/client/api-client.ts";
import type { KeyView } from "../../services/keys/types.ts";
import { type Running, type Service, startService } from "../support/service.ts";

describe("keys on the command line", () => {
  let service: Service;
  let running: Running & { readonly url: string };
  let log = "";

  const statusOf = async (key: string, path = "/live"): Promise<number> =>
    (await fetch(running.url + path, { headers: { authorization: `Bearer ${key}` } })).status;
  const run = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await service.cli(["keys", ...words], running.url);
    assert.equal(code, 0, stderr);
    return stdout.trim();
  };

  before(async () => {
    service = await startService({});
    running = await service.startApi({ PHASEWISE_LOG_LEVEL: "trace" });
    running.process.stderr?.on("data", (chunk) => {
      log += String(chunk);
    });
  });
  after(() => service.stop());

  it("are made, listed, rotated and revoked while the service runs", async () => {
    const first = await run("create", "--name", "shop", "--scopes", "serve,ingest");
    assert.match(first, /^pw_secret_[0-9a-f]{12}_[\w-]{43}$/);
    assert.equal(await statusOf(first), 200);
    assert.equal(await statusOf(first, "/audit"), 403);
    const [view] = JSON.parse(await run("list", "--json")) as KeyView[];
    assert.deepEqual([view.name, view.scopes], ["shop", ["serve", "ingest"]]);
    assert.match(await run("list"), /shop/);
    const second = await run("rotate", view.id, "--overlap", "0");
    assert.deepEqual([await statusOf(first), await statusOf(second)], [401, 200]);
    assert.match(await run("revoke", view.id), /revoked/);
    assert.equal(await statusOf(second), 401);
    for (const key of [first, second, service.key]) assert.ok(!log.includes(key), "a key is in the log");
    assert.match(log, /request refused/);
  });

  it("come from a file, standard input or the environment, never from an argument", async () => {
    const { key } = await apiClient(running.url, service.key).post<{ key: string }>("/keys", {
      name: "reader",
      scopes: ["serve"],
    });
    const file = join(service.home, "reader-key");
    await writeFile(file, `${key}\n`);
    const listed = await service.cli(["keys", "list", "--key-file", file], running.url);
    assert.equal(listed.code, 1);
    assert.match(listed.stderr, /expected a key that may admin, got one for serve/);
    const argument = await service.cli(["keys", "list", "--key", key], running.url);
    assert.equal(argument.code, 2);
  });

  it("begin with the operator's own, made once and readable by its owner only", async () => {
    const file = join(service.home, "admin-key");
    assert.match(await run("init"), /admin-key, readable by its owner only/);
    const made = await readFile(file, "utf8");
    await run("init");
    assert.equal(await readFile(file, "utf8"), made);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  });
});
