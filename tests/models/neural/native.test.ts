import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { seededRandom } from "../../../models/data/random.ts";
import { loadBackend } from "../../../models/neural/backend.ts";
import { trainingStep } from "../../../models/neural/network.ts";
import { sasrec, sasrecOn } from "../../../models/neural/sasrec.ts";
import type { Batch } from "../../../models/neural/sequences.ts";
import { initialWeights } from "../../../models/neural/weights.ts";
import { circle, SMALL_SASREC } from "../support/circle.ts";

const COMPILED_MODELS = fileURLToPath(new URL("../../../models", import.meta.url));

/** Why the native engine cannot be tested here; undefined where it loads. */
const absent = await loadBackend("native").then(
  () => undefined,
  (error: Error) => `the native engine does not load here: ${error.message}`,
);

const asked = (backendFile: string) => `
  const { loadBackend } = await import(${JSON.stringify(backendFile)});
  const { name, tf } = await loadBackend();
  console.log(name, tf.getBackend(), tf.matMul([[1, 2]], [[3], [4]]).dataSync()[0]);
`;
const run = (script: string) =>
  promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);

test("the native engine is the one that trains where it loads, and says nothing", {
  skip: absent ?? false,
}, async () => {
  const { stdout, stderr } = await run(asked(join(COMPILED_MODELS, "neural/backend.js")));
  assert.equal(stdout.trim(), "tfjs-native tensorflow 11");
  assert.equal(stderr, "");
  const { report } = await sasrec.fit(circle(), SMALL_SASREC, { seed: 7 });
  assert.equal(report.backend, "tfjs-native");
});

test("a step on the native engine has the loss and gradients of WebAssembly", {
  skip: absent ?? false,
}, async () => {
  const weights = initialWeights({ items: 30, embeddingSize: 16, blocks: 2, maxLength: 8 }, seededRandom(3));
  const random = seededRandom(4);
  const draw = (size: number) => Int32Array.from({ length: size }, () => random.integer(30));
  const batch: Batch = {
    windows: 5,
    length: 8,
    inputs: draw(40),
    targets: draw(40),
    weights: Float32Array.from({ length: 40 }, (_, position) => (position % 8 < 6 ? 1 : 0)),
    shuffled: false,
    negatives: draw(12),
    multiplicities: new Float32Array(12).fill(0.5),
  };
  const steps = [];
  for (const engine of ["native", "wasm"] as const) {
    const { tf } = await loadBackend(engine);
    const before = tf.memory().numTensors;
    steps.push(trainingStep(tf, weights, 2, batch, new Float32Array(30), undefined));
    assert.equal(tf.memory().numTensors, before);
  }
  const [native, wasm] = steps;
  assert.ok(Math.abs(native.loss - wasm.loss) < 1e-5);
  for (const [name, gradient] of Object.entries(wasm.gradients)) {
    for (const [index, value] of gradient.entries()) {
      assert.ok(Math.abs(native.gradients[name][index] - value) < 1e-5, `${name}[${index}]`);
    }
  }
});

test("a seed gives the same arrays again on the native engine", { skip: absent ?? false }, async () => {
  const fit = async () => (await sasrecOn("native").fit(circle(), SMALL_SASREC, { seed: 7 })).arrays;
  assert.deepEqual(await fit(), await fit());
});

for (const [where, install] of [
  ["is not installed", async () => undefined],
  [
    "is installed without its binary",
    async (folder: string) => {
      await mkdir(folder);
      await writeFile(join(folder, "package.json"), '{"name":"@tensorflow/tfjs-node","main":"index.js"}');
      await writeFile(join(folder, "index.js"), 'throw new Error("tfjs_binding.node can not be found");');
    },
  ],
] as const) {
  test(`WebAssembly trains where the native engine ${where}`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "phasewise-"));
    t.after(() => rm(folder, { recursive: true }));
    const packages = join(folder, "node_modules/@tensorflow");
    await mkdir(packages, { recursive: true });
    const { resolve } = createRequire(import.meta.url);
    for (const name of ["tfjs", "tfjs-backend-wasm"]) {
      await symlink(dirname(resolve(`@tensorflow/${name}/package.json`)), join(packages, name));
    }
    await install(join(packages, "tfjs-node"));
    await cp(COMPILED_MODELS, join(folder, "models"), { recursive: true });
    await writeFile(join(folder, "package.json"), '{"type":"module"}');
    const { stdout } = await run(asked(join(folder, "models/neural/backend.js")));
    assert.equal(stdout.trim(), "tfjs-wasm wasm 11");
  });
}
