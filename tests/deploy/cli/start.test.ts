import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type Service, startService } from "../../support/service.ts";
import { writeSmallData } from "../../support/small-data.ts";

const CLI = fileURLToPath(new URL("../../../deploy/cli/main.js", import.meta.url));

describe("phasewise start", () => {
  let service: Service;
  before(async () => {
    service = await startService({});
  });
  after(() => service.stop());

  it("hands its flags on to the demo, which reads them by itself", async () => {
    const help = await service.cli(["start", "--help"]);
    assert.equal(help.code, 0);
    assert.match(help.stdout, /^Usage: phasewise start \[options\][\s\S]*--plant-harm/);
    const wrong = await service.cli(["start", "--no-replay", "--sped", "5"]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /unknown option '--sped'/);
  });

  it("on any free port says where its API listens, is right, and ends on a signal", async () => {
    const data = await writeSmallData(service.home, { users: 150, events: 3000 });
    const words = ["start", "--port", "0", "--data", data, "--no-replay"];
    const demo = spawn(process.execPath, [CLI, ...words], {
      env: { ...process.env, REDIS_URL: service.redis.url, PHASEWISE_HOME: service.home },
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      let url = "";
      for await (const line of createInterface({ input: demo.stdout })) {
        url = /^Live: .*(http:\S+)\/recommend answers/.exec(line)?.[1] ?? "";
        if (url !== "") break;
      }
      demo.stdout.resume();
      assert.notEqual(new URL(url).port, "0");
      assert.equal((await fetch(`${url}/recommend?k=3`)).status, 200);
      demo.kill("SIGTERM");
      await once(demo, "exit");
      await assert.rejects(fetch(`${url}/healthz`), "its processes ended with it");
    } finally {
      demo.kill("SIGKILL");
    }
  });
});
