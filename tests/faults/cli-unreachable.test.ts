import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Running, type Service, startService } from "../support/service.ts";
import { writeSmallData } from "../support/small-data.ts";

const UNREACHABLE = 5;
const WHY = ["--reason", "a test"];

/** Every verb that asks the API. */
const OF_THE_API: readonly (readonly string[])[] = [
  ["status"],
  ["ladder"],
  ["card", "als-0123456789ab"],
  ["train", "--phase", "1"],
  ["cancel", "a-job"],
  ["promote", "als-0123456789ab", "--expected-live", "none", ...WHY],
  ["rollback", ...WHY],
  ["unfreeze", ...WHY],
  ["decisions"],
  ["verify-decision", "d-1"],
  ["audit"],
  ["keys", "list"],
  ["replay"],
];
/** Of those, some whose answer needs Redis. */
const NEED_REDIS = OF_THE_API.filter(([verb]) => ["ladder", "train", "promote", "audit"].includes(verb));
/** Every verb that works beside the API, on Redis. */
const OF_REDIS: readonly (readonly string[])[] = [
  ["compact"],
  ["shadow"],
  ["import"],
  ["import-model", "f.safetensors", "--phase", "3", "--recipe", "x", "--items", "items.csv"],
  ["export-model", "als-0123456789ab", "f.safetensors", "--items", "items.csv"],
  ["serve"],
  ["work"],
  ["start", "--exit"],
];

describe("a command that cannot reach what it needs ends with exit code 5 and the address", () => {
  let service: Service;
  let api: Running & { readonly url: string };
  let data: Record<string, string>;

  const ends = async (words: readonly string[], address: string, url?: string): Promise<void> => {
    const { code, stderr } = await service.cli(words, url, data);
    assert.equal(code, UNREACHABLE, `${words.join(" ")}: ${stderr}`);
    assert.ok(stderr.includes(address), `${words.join(" ")} names ${address}: ${stderr}`);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
  };

  /** A few at a time: a busy machine would be late with more. */
  const allEnd = async (all: readonly (readonly string[])[], address: string, url?: string) => {
    for (let from = 0; from < all.length; from += 3) {
      await Promise.all(all.slice(from, from + 3).map((words) => ends(words, address, url)));
    }
  };

  before(async () => {
    service = await startService({});
    data = { PHASEWISE_DATA: await writeSmallData(service.home) };
    await writeFile(join(service.home, "f.safetensors"), "");
    api = await service.startApi();
  });
  after(() => service.stop());

  it("where nobody listens for the API", async () => {
    await allEnd(OF_THE_API, "http://127.0.0.1:1");
  });

  it("where the API is stuck", async () => {
    api.process.kill("SIGSTOP");
    await ends(["ladder"], api.url, api.url);
    await ends(["rollback", ...WHY], api.url, api.url);
    await ends(["status"], api.url, api.url);
    api.process.kill("SIGCONT");
  });

  it("where Redis is stuck, behind the API or for the command itself", async () => {
    service.redis.pause();
    try {
      await ends(["ladder"], api.url, api.url);
      await ends(["rollback", ...WHY], api.url, api.url);
      await ends(["compact"], service.redis.url);
    } finally {
      service.redis.resume();
    }
  });

  it("where Redis is gone; what only reads never says that a change may have taken effect", async () => {
    await service.redis.kill();
    await allEnd(NEED_REDIS, api.url, api.url);
    await allEnd(OF_REDIS, service.redis.url);
    for (const route of ["/ladder", "/decisions", "/models", "/live"]) {
      const said = await (await fetch(`${api.url}${route}`)).text();
      assert.match(said, /nothing was changed/);
      assert.doesNotMatch(said, /took effect/);
    }
  });
});
