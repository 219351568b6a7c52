import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Service, startService } from "../../support/service.ts";
import { writeSmallData } from "../../support/small-data.ts";

describe("the command line at its edges", () => {
  let service: Service;
  before(async () => {
    service = await startService({});
  });
  after(() => service.stop());

  it("says its version", async () => {
    for (const words of [["--version"], ["start", "--version"]]) {
      const { code, stdout } = await service.cli(words);
      assert.deepEqual([code, /^\d+\.\d+\.\d+/.test(stdout)], [0, true], stdout);
    }
  });

  it("finds the Redis that npm start began in this home, unless another is named", async () => {
    await mkdir(join(service.home, "redis"), { recursive: true });
    const record = join(service.home, "redis", "server.json");
    await writeFile(record, JSON.stringify({ pid: process.pid, port: service.redis.port }));
    const data = await writeSmallData(service.home, { users: 20, events: 200 });
    const unsaid = { REDIS_URL: "" };
    assert.equal((await service.cli(["import", "--data", data], undefined, unsaid)).code, 0);
    assert.equal((await service.cli(["compact"], undefined, unsaid)).code, 0);
    const named = await service.cli(["compact", "--redis", "redis://127.0.0.1:1"], undefined, unsaid);
    assert.deepEqual([named.code, /Redis at redis:\/\/127\.0\.0\.1:1/.test(named.stderr)], [5, true]);
    const { pid } = spawnSync(process.execPath, ["--version"]);
    await writeFile(record, JSON.stringify({ pid, port: 1 }));
    const { stderr } = await service.cli(["compact", "--redis", service.redis.url], undefined, unsaid);
    assert.doesNotMatch(stderr, /127\.0\.0\.1:1/, "what an earlier run left behind does not count");
  });

  it("says in one sentence that a port is in use, by whatever, and never talks to it", async () => {
    const asked: string[] = [];
    const other = createServer((request, reply) => {
      asked.push(request.url ?? "");
      reply.end("{}");
    });
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const data = await writeSmallData(service.home, { users: 20, events: 200 });
    for (const words of [
      ["serve", "--port", String(port)],
      ["start", "--port", String(port), "--data", data, "--exit"],
    ]) {
      const { code, stderr } = await service.cli(words);
      assert.equal(code, 1);
      assert.match(
        stderr,
        new RegExp(`phasewise: port ${port} of 127\\.0\\.0\\.1: expected a free one, got .* set PORT`),
      );
      assert.doesNotMatch(stderr, /^ {4}at /m);
    }
    assert.deepEqual(asked, []);
    other.close();
  });

  it("shows, changes and exports items of a running service, and loads back what it exported", async () => {
    const api = await service.startApi();
    const table = join(service.home, "items.csv");
    await writeFile(
      table,
      "id,title,genres,language,seats,available_until\nx1,One,Noir|Heist,de,3,2100-01-01\nx2,Two,,fr,4,2001-01-01\n",
    );
    const run = async (...words: string[]) => {
      const { code, stdout, stderr } = await service.cli(words, api.url);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    assert.match(
      await run("items", "load", table),
      /2 items changed; .*attributes language \(text\), seats \(number\), availability/,
    );
    assert.match(
      await run("items", "show", "x1"),
      /x1: One\ngenres: Noir, Heist\nlanguage: de\nseats: 3\navailability: until 2100/,
    );
    assert.match(await run("items", "show", "x2"), /lists leave it out now/);
    const exported = await run("items", "export");
    const again = join(service.home, "again.jsonl");
    await writeFile(again, exported);
    await run("items", "load", again);
    assert.equal(await run("items", "export"), exported);
    await run("items", "hide", "x1");
    assert.match(await run("items", "show", "x1"), /hidden by an operator/);
  });
});
