/** Builds dist/: AssemblyScript kernels, then TypeScript. Built-ins only, so that it runs straight after `npm ci`. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";

function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: "inherit", shell: process.platform === "win32" });
  if (status !== 0) process.exit(status ?? 1);
}

/** The kernels are embedded in a module, so that models/ can load them without reading a file. */
function buildKernels() {
  mkdirSync("dist", { recursive: true });
  mkdirSync("models/kernels/generated", { recursive: true });
  run("node_modules/.bin/asc", ["--config", "models/kernels/assembly/asconfig.json"]);
  const wasm = readFileSync("dist/kernels.wasm").toString("base64");
  writeFileSync("models/kernels/generated/kernels.ts", `export const KERNELS_WASM =\n  "${wasm}";\n`);
}

buildKernels();
const began = new Date();
run("node_modules/.bin/tsc", ["-p", "."]);
// Dated when the compiler began: a file edited since then is newer, the kernels generated before are not.
writeFileSync("dist/.built", "");
utimesSync("dist/.built", began, began);
