import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { Command } from "commander";
import { VERBS } from "../../deploy/cli/verbs.ts";
import { type Running, type Service, startService } from "../support/service.ts";
import { writeSmallData } from "../support/small-data.ts";

const UNREACHABLE = 5;
const WHY = ["--reason", "a test"];
/** Stands for a table of items that exists. */
const TITLES = "movies.csv";

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
  ["release", "als-0123456789ab", ...WHY],
  ["keys", "list"],
  ["keys", "create", "--name", "a shop", "--scopes", "serve"],
  ["keys", "rotate", "k-1"],
  ["keys", "revoke", "k-1"],
  ["items", "hide", "1"],
  ["items", "restore", "1"],
  ["items", "load", TITLES],
  ["items", "show", "1"],
  ["items", "export"],
  ["judge", "als-0123456789ab", "--exit-code"],
  ["erase-user", "1"],
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
  ["export-user", "1"],
  ["register-remote", "theirs", "--url", "http://127.0.0.1:1/rank"],
  ["serve"],
  ["work"],
  ["start", "--exit"],
];
/** Those that need neither. */
const OF_FILES: readonly string[] = ["evaluate", "policy", "keys init"];
/** What is promised is five seconds; a busy machine may need longer to start processes. */
const ENDS_WITHIN_MS = 30_000;

/** Every verb that there is, by its words. */
function allVerbs(): string[] {
  const program = new Command();
  for (const addVerb of VERBS) addVerb(program);
  const wordsOf = (command: Command, before: readonly string[]): string[] => {
    const words = [...before, command.name()];
    const below = command.commands.flatMap((sub) => wordsOf(sub, words));
    return below.length === 0 ? [words.join(" ")] : below;
  };
  return program.commands.flatMap((command) => wordsOf(command, [])).sort();
}

describe("F26: a command that cannot reach what it needs ends with exit code 5 and the address", () => {
  let service: Service;
  let api: Running & { readonly url: string };
  let data: Record<string, string>;

  /** @returns how long it took, milliseconds */
  const ends = async (words: readonly string[], address: string, url?: string): Promise<number> => {
    const startedAt = performance.now();
    const { PHASEWISE_DATA: folder } = data;
    const { code, stderr } = await service.cli(
      words.map((word) => (word === TITLES ? join(folder, TITLES) : word)),
      url,
      data,
    );
    const tookMs = performance.now() - startedAt;
    assert.equal(code, UNREACHABLE, `${words.join(" ")}: ${stderr}`);
    assert.ok(stderr.includes(address), `${words.join(" ")} names ${address}: ${stderr}`);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
    assert.ok(tookMs < ENDS_WITHIN_MS, `${words.join(" ")} took ${tookMs.toFixed(0)} ms`);
    return tookMs;
  };

  /** A few at a time: a busy machine would be late with more. */
  const allEnd = async (
    t: TestContext,
    all: readonly (readonly string[])[],
    address: string,
    url?: string,
  ): Promise<void> => {
    const tookMs: number[] = [];
    for (let from = 0; from < all.length; from += 3) {
      const few = all.slice(from, from + 3);
      tookMs.push(...(await Promise.all(few.map((words) => ends(words, address, url)))));
    }
    const most = Math.max(...tookMs);
    t.diagnostic(
      `${all.length} commands, the slowest ended after ${most.toFixed(0)} ms: ${all[tookMs.indexOf(most)].join(" ")}`,
    );
  };

  before(async () => {
    service = await startService({});
    const folder = await writeSmallData(service.home);
    data = { PHASEWISE_DATA: folder };
    await writeFile(join(service.home, "f.safetensors"), "");
    api = await service.startApi();
  });
  after(() => service.stop());

  it("and that is tried with every one there is", () => {
    const tried = [...OF_THE_API, ...OF_REDIS].map((words) => words.join(" "));
    const verbs = allVerbs();
    assert.ok(verbs.length > 30);
    const untried = verbs.filter(
      (verb) => !OF_FILES.includes(verb) && !tried.some((words) => `${words} `.startsWith(`${verb} `)),
    );
    assert.deepEqual(untried, []);
  });

  it("where nobody listens for the API", async (t) => {
    await allEnd(t, OF_THE_API, "http://127.0.0.1:1");
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

  it("where Redis is gone; what only reads never says that a change may have taken effect", async (t) => {
    await service.redis.kill();
    await allEnd(t, NEED_REDIS, api.url, api.url);
    await allEnd(t, OF_REDIS, service.redis.url);
    for (const route of ["/ladder", "/decisions", "/models", "/live"]) {
      const said = await (await fetch(`${api.url}${route}`)).text();
      assert.match(said, /nothing was changed/);
      assert.doesNotMatch(said, /took effect/);
    }
  });
});
