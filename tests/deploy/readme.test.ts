import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { RECIPES } from "../../models/phases.ts";

const ROOT = new URL("../../../", import.meta.url);
const text = (file: string): string => readFileSync(new URL(file, ROOT), "utf8");

describe("the documents", () => {
  for (const file of ["README.md", "CONTRIBUTING.md"]) {
    it(`${file} names only npm scripts and files that exist`, () => {
      const { scripts } = JSON.parse(text("package.json")) as { scripts: Record<string, string> };
      const document = text(file);
      const named = [...document.matchAll(/npm (?:run (?:-s )?)([a-z:-]+)/g)].map(([, name]) => name);
      assert.ok(named.length > 0);
      for (const name of named)
        assert.ok(name in scripts, `${file} runs npm script ${name}, which is missing`);
      for (const [, path] of document.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
        assert.ok(existsSync(new URL(path, ROOT)), `${file} links to ${path}, which is missing`);
      }
    });
  }

  it("the README lists every recipe of the ladder", () => {
    const document = text("README.md");
    for (const { name } of RECIPES)
      assert.ok(document.includes(`\`${name}\``), `recipe ${name} is not in the README`);
  });

  it("SECURITY.md answers the ten risks of OWASP's list for APIs, and each test that it names exists", () => {
    const document = text("SECURITY.md");
    for (const [path] of document.matchAll(/tests\/[\w/-]+\.test\.ts/g)) {
      assert.ok(existsSync(new URL(path, ROOT)), `SECURITY.md names ${path}, which is missing`);
    }
    for (let risk = 1; risk <= 10; risk++) {
      const row = document.split("\n").find((line) => line.startsWith(`| API${risk} `)) ?? "";
      assert.match(row, /`tests\/.+\.test\.ts`/, `API${risk} has no row with a test`);
    }
  });

  it("CONTRIBUTING names every locked package that refuses our lowest Node.js", () => {
    const { engines } = JSON.parse(text("package.json")) as { engines: { node: string } };
    const [lowest] = majors(engines.node);
    const { packages } = JSON.parse(text("package-lock.json")) as {
      packages: Record<string, { engines?: { node?: string } }>;
    };
    const refusing = Object.entries(packages)
      .filter(([, { engines }]) => engines?.node !== undefined && Math.min(...majors(engines.node)) > lowest)
      .map(([path]) => path.split("node_modules/").at(-1) ?? "");
    const document = text("CONTRIBUTING.md");
    for (const name of refusing)
      assert.ok(document.includes(`\`${name}\``), `${name} refuses Node ${lowest}`);
  });

  it("CONTRIBUTING justifies every dependency", () => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
      text("package.json"),
    ) as Record<string, Record<string, string>>;
    const document = text("CONTRIBUTING.md");
    for (const name of Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
      if (!name.startsWith("@types/")) assert.ok(document.includes(name), `${name} is not justified`);
    }
  });
});

/** First numbers of the alternatives of a range: ">=20.19 || 22" gives 20 and 22. */
function majors(range: string): readonly number[] {
  return range.split("||").map((part) => Number(/\d+/.exec(part)?.[0] ?? 0));
}
