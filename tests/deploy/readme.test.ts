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
