import { parentPort, workerData } from "node:worker_threads";
import { FAILED, FINISHED, GENERATION, KERNEL, type Seat, STOP, work } from "./pool.ts";
import { instantiate, type KernelModule, type SharedMemory } from "./wasm.ts";

/** A thread of a KernelPool: waits for the next generation, works its share, says so; see pool.ts. */
interface Start {
  readonly module: KernelModule;
  readonly memory: SharedMemory;
  readonly seat: Seat;
}

const { module, memory, seat } = workerData as Start;
const { control } = seat;
const kernels = instantiate(module, memory);
let generation = Atomics.load(control, GENERATION);
parentPort?.postMessage("ready");

for (;;) {
  Atomics.wait(control, GENERATION, generation);
  generation = Atomics.load(control, GENERATION);
  if (control[KERNEL] === STOP) break;
  try {
    work(kernels, seat);
  } catch {
    Atomics.store(control, FAILED, 1);
  }
  Atomics.add(control, FINISHED, 1);
  Atomics.notify(control, FINISHED);
}
