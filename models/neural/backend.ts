import { createRequire } from "node:module";
import { dirname } from "node:path";
import type { TensorFlow } from "./tensorflow.ts";
import { registerTrainingKernels } from "./wasm-kernels.ts";

/** `native`: libtensorflow through tfjs-node. `wasm`: XNNPACK in WebAssembly. `cpu`: slow, for reference in tests. */
export type Engine = "native" | "wasm" | "cpu";

export interface Backend {
  readonly tf: TensorFlow;
  /** As a training report names it. */
  readonly name: `tfjs-${Engine}`;
}

/**
 * The one door to TensorFlow, opened only where a network is trained: nothing is imported before the first call.
 * Without a wish it takes the native engine where that is installed and loads, else WebAssembly. `threads` is what the
 * native engine may use (default 1), heeded by the first call of a process; how sums are shared out among them shows in
 * the last bits, so equal seeds give equal arrays for one number of threads, on one kind of processor. WebAssembly has
 * one thread and gives the same arrays everywhere.
 */
export async function loadBackend(wish?: Engine, threads = 1): Promise<Backend> {
  const engines: readonly Engine[] = wish === undefined ? ["native", "wasm"] : [wish];
  const failures: string[] = [];
  for (const engine of engines) {
    try {
      return { tf: await LOADERS[engine](threads), name: `tfjs-${engine}` };
    } catch (error) {
      failures.push(
        `${engine}: ${error instanceof Error ? error.message.split("\n", 1)[0].trim() : String(error)}`,
      );
    }
  }
  throw new Error(
    `TensorFlow.js: expected a backend that loads, got none (${failures.join("; ")}); run \`${REMEDIES[engines[engines.length - 1]]}`,
  );
}

const LOADERS: Readonly<Record<Engine, (threads: number) => Promise<TensorFlow>>> = {
  native: loadNative,
  wasm: loadWasm,
  cpu: async () => activate(await loadCore(), "cpu"),
};

const REMEDIES: Readonly<Record<Engine, string>> = {
  native:
    "npm rebuild @tensorflow/tfjs-node` where its install script can download libtensorflow, or train on WebAssembly",
  wasm: "npm ci` to restore @tensorflow/tfjs and @tensorflow/tfjs-backend-wasm",
  cpu: "npm ci` to restore @tensorflow/tfjs",
};

const require = createRequire(import.meta.url);

/** An optional dependency whose install script downloads libtensorflow, so it may be absent or without its binary. */
async function loadNative(threads: number): Promise<TensorFlow> {
  restoreRemovedUtilities();
  // libtensorflow asks the environment when it starts: how many threads an operation may have, and whether to greet.
  process.env.TF_NUM_INTRAOP_THREADS ??= String(threads);
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "1";
  await loadCore();
  const tf: TensorFlow = require("@tensorflow/tfjs-node");
  return activate(tf, "tensorflow");
}

/** tfjs-node 4.22 calls functions of node:util that Node 23 removed. */
function restoreRemovedUtilities(): void {
  const utilities: Record<string, unknown> = require("node:util");
  utilities.isArray ??= Array.isArray;
  utilities.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  utilities.isString ??= (value: unknown) => typeof value === "string";
  utilities.isNumber ??= (value: unknown) => typeof value === "number";
  utilities.isBoolean ??= (value: unknown) => typeof value === "boolean";
  utilities.isFunction ??= (value: unknown) => typeof value === "function";
  utilities.isObject ??= (value: unknown) => typeof value === "object" && value !== null;
}

async function loadWasm(): Promise<TensorFlow> {
  const tf = await loadCore();
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json"))}/dist/`);
  // Its thread pool never starts in Node: asking for it would hang.
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  await keepingProcessListeners(() => activate(tf, "wasm"));
  registerTrainingKernels(tf);
  return tf;
}

/** Production mode first: it is what silences the advertisement that the first tensor would print. */
async function loadCore(): Promise<TensorFlow> {
  const tf = await import("@tensorflow/tfjs");
  tf.env().set("PROD", true);
  return tf;
}

async function activate(tf: TensorFlow, backendName: string): Promise<TensorFlow> {
  if (!(await tf.setBackend(backendName))) throw new Error(`backend "${backendName}" did not initialize`);
  await tf.ready();
  return tf;
}

/** Emscripten's glue installs process-wide error handlers of its own; how this process dies is not its business. */
async function keepingProcessListeners(start: () => Promise<unknown>): Promise<void> {
  const events = ["uncaughtException", "unhandledRejection"];
  const before = events.map((event) => new Set(process.rawListeners(event)));
  await start();
  for (const [index, event] of events.entries()) {
    for (const listener of process.rawListeners(event)) {
      if (!before[index].has(listener)) process.removeListener(event, listener as () => void);
    }
  }
}
