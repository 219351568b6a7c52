import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";

interface House {
  readonly files: readonly string[];
  readonly imports: readonly { readonly from: string; readonly to: string }[];
}
interface HousePlan {
  readHouse(): House;
  faultsOf(house: House): readonly string[];
  looseFiles(house: House): ReadonlyMap<string, number>;
}

const plan = (await import(new URL("../../deploy/local/house-plan.mjs", import.meta.url).href)) as HousePlan;

/** Each import as "from to". */
function houseOf(...imports: readonly string[]): House {
  const pairs = imports.map((words) => words.split(" ")).map(([from, to]) => ({ from, to }));
  return { files: [...new Set(pairs.flatMap(({ from, to }) => [from, to]))], imports: pairs };
}

describe("the house plan", () => {
  it("holds: no arrow upward, no circle among rooms, few loose files (npm run arrows prints them)", () => {
    const house = plan.readHouse();
    assert.deepEqual(plan.faultsOf(house), []);
    const loose = plan.looseFiles(house);
    assert.ok((loose.get("jobs") ?? 0) <= 7 && (loose.get("models") ?? 0) <= 8);
  });

  it("is the one that CONTRIBUTING describes: it names every room", () => {
    const text = readFileSync(new URL("../../CONTRIBUTING.md", import.meta.url), "utf8");
    const rooms = plan.readHouse().files.flatMap((file) => file.split("/").slice(1, -1).slice(0, 1));
    for (const room of new Set(rooms)) {
      assert.ok(
        text.includes(`${room}/`),
        `expected ${room}/ under Rooms in CONTRIBUTING.md, got no word of it`,
      );
    }
  });

  it("reads every layer and their imports, those of types and over several lines too", () => {
    const { imports } = plan.readHouse();
    const has = (from: string, to: string) =>
      imports.some((one) => one.from.startsWith(from) && one.to === to);
    assert.ok(has("deploy/cli/main.ts", "deploy/cli/verbs.ts"));
    assert.ok(has("jobs/", "jobs/context.ts"));
    assert.ok(has("services/", "services/errors.ts"));
    assert.ok(has("models/knn/", "models/recipe.ts"));
  });

  it("knows an arrow upward by its two files", () => {
    assert.deepEqual(plan.faultsOf(houseOf("models/gate/decide.ts services/errors.ts")), [
      "arrow upward: models/gate/decide.ts imports services/errors.ts",
    ]);
  });

  it("knows a circle of rooms by the imports that close it, and none within a room", () => {
    const inside = [
      "models/gate/decide.ts models/gate/rules/all.ts",
      "models/gate/rules/all.ts models/gate/policy.ts",
    ];
    assert.deepEqual(plan.faultsOf(houseOf(...inside)), []);
    const [fault, ...more] = plan.faultsOf(
      houseOf(
        "jobs/a/1.ts jobs/b/1.ts",
        "jobs/b/2.ts jobs/c/1.ts",
        "jobs/c/2.ts jobs/a/2.ts",
        "jobs/a/1.ts jobs/d.ts",
      ),
    );
    assert.match(fault, /^circle of jobs\/a, jobs\/b, jobs\/c:\n {4}jobs\/a\/1\.ts imports jobs\/b\/1\.ts\n/);
    assert.doesNotMatch(fault, /jobs\/d/);
    assert.deepEqual(more, []);
  });

  it("knows a layer in which too many files lie loose", () => {
    const files = Array.from({ length: 8 }, (_, at) => `jobs/${at}.ts`);
    assert.deepEqual(plan.faultsOf({ files, imports: [] }), ["jobs/ has 8 loose files, expected 7 at most"]);
  });
});
