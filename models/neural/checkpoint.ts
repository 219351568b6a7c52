import { createHash } from "node:crypto";
import type { Weights } from "./weights.ts";

/** Everything an interrupted training needs to go on as if nothing had happened. Taken between epochs. */
export interface TrainingState {
  /** `search`: learning from before the validation window. `refit`: learning from everything. */
  stage: "search" | "refit";
  /** Epochs finished in this stage. Batches and masks are drawn from (seed, stage, epoch): no generator is kept. */
  epoch: number;
  /** Steps taken by the optimizer. */
  steps: number;
  readonly losses: number[];
  /** Validation nDCG after each epoch of the search. */
  readonly validation: number[];
  /** The epoch of the search with the best validation, from 1; 0 before the first. */
  bestEpoch: number;
  weights: Weights;
  first: Weights;
  second: Weights;
  /** The weights after `bestEpoch`. */
  best: Weights;
}

const GROUPS = ["weights", "first", "second", "best"] as const;
const MAGIC = 0x43535750;

/** Names the run a checkpoint belongs to: data, parameters and seed. */
export function fingerprint(...parts: readonly (string | ArrayBufferView)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) {
    hash.update(
      typeof part === "string" ? part : new Uint8Array(part.buffer, part.byteOffset, part.byteLength),
    );
    hash.update("\0");
  }
  return hash.digest("hex");
}

/** Layout: magic, header length (uint32 LE each), JSON header, SHA-256 of the arrays as hex inside it, float32 arrays. */
export function encodeCheckpoint(run: string, state: TrainingState): Uint8Array {
  const arrays = GROUPS.flatMap((group) => Object.values(state[group]).map(({ data }) => data));
  const { weights, first: _first, second: _second, best: _best, ...scalars } = state;
  const shapes = Object.entries(weights).map(([name, { shape }]) => [name, shape]);
  const payload = new Float32Array(arrays.reduce((size, array) => size + array.length, 0));
  let filled = 0;
  for (const array of arrays) {
    payload.set(array, filled);
    filled += array.length;
  }
  const header = new TextEncoder().encode(
    JSON.stringify({ run, scalars, shapes, sha256: fingerprint(payload) }),
  );
  const bytes = new Uint8Array(8 + header.length + payload.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, header.length, true);
  bytes.set(header, 8);
  bytes.set(new Uint8Array(payload.buffer), 8 + header.length);
  return bytes;
}

/** The state of this very run, or undefined for a checkpoint of another one, a torn one or none: training starts over. */
export function decodeCheckpoint(run: string, bytes: Uint8Array | null): TrainingState | undefined {
  if (bytes === null || bytes.length < 8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerEnd = 8 + view.getUint32(4, true);
  if (view.getUint32(0, true) !== MAGIC || headerEnd > bytes.length) return undefined;
  const header = parsed(new TextDecoder().decode(bytes.subarray(8, headerEnd)));
  if (header?.run !== run) return undefined;

  const sizes = header.shapes.map(([, shape]) => shape.reduce((product, side) => product * side, 1));
  const floats = GROUPS.length * sizes.reduce((sum, size) => sum + size, 0);
  if (bytes.length !== headerEnd + floats * Float32Array.BYTES_PER_ELEMENT) return undefined;
  // A copy, because the payload need not lie on a multiple of four bytes; not by slice, which copies nothing of a Buffer.
  const payload = new Float32Array(new Uint8Array(bytes.subarray(headerEnd)).buffer);
  if (fingerprint(payload) !== header.sha256) return undefined;
  let at = 0;
  const group = (): Weights =>
    Object.fromEntries(
      header.shapes.map(([name, shape], index) => {
        const data = payload.slice(at, at + sizes[index]);
        at += sizes[index];
        return [name, { shape, data }];
      }),
    );
  const [weights, first, second, best] = GROUPS.map(group);
  return { ...header.scalars, weights, first, second, best };
}

interface Header {
  readonly run: string;
  readonly scalars: Omit<TrainingState, (typeof GROUPS)[number]>;
  readonly shapes: readonly (readonly [string, readonly number[]])[];
  readonly sha256: string;
}

function parsed(text: string): Header | undefined {
  try {
    return JSON.parse(text) as Header;
  } catch {
    return undefined;
  }
}
