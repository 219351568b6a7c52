import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { NamedArray } from "../../../models/recipe.ts";
import {
  readSafetensors,
  type Safetensors,
  writeSafetensors,
} from "../../../models/safetensors/safetensors.ts";
import { SafetensorsError } from "../../../models/safetensors/safetensors-header.ts";

/** A file from a header written by hand. */
function fileOf(header: unknown, dataBytes = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  return file;
}

const entry = (begin: number, end: number, shape = [end - begin], dtype = "U8") => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

const EXAMPLE: Safetensors = {
  tensors: new Map<string, NamedArray>([
    ["small", { shape: [3], data: Int8Array.of(-1, 2, -128) }],
    ["matrix", { shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, 1e-30, 6) }],
    ["ids", { shape: [2], data: Uint32Array.of(0, 4294967295) }],
    ["empty", { shape: [0, 4], data: new Int32Array(0) }],
    ["bytes", { shape: [1], data: Uint8Array.of(255) }],
  ]),
  metadata: new Map([["made", "by hände"]]),
};

const anyArray: fc.Arbitrary<NamedArray> = fc
  .oneof(
    fc.float32Array({ noNaN: true, noDefaultInfinity: true }),
    fc.int32Array(),
    fc.uint32Array(),
    fc.int8Array(),
    fc.uint8Array(),
  )
  .map((data) => ({ shape: [data.length], data }));
const anyName = fc.string({ minLength: 1 }).filter((name) => !["__proto__", "__metadata__"].includes(name));
const anyFile: fc.Arbitrary<Safetensors> = fc.record({
  tensors: fc.array(fc.tuple(anyName, anyArray), { maxLength: 6 }).map((entries) => new Map(entries)),
  metadata: fc.array(fc.tuple(anyName, fc.string())).map((entries) => new Map(entries)),
});

const sorted = <T>(map: ReadonlyMap<string, T>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

test("what is written is read back, whatever the arrays and names", () => {
  fc.assert(
    fc.property(anyFile, (contents) => {
      const read = readSafetensors(writeSafetensors(contents));
      assert.deepEqual(sorted(read.tensors), sorted(contents.tensors));
      assert.deepEqual(sorted(read.metadata), sorted(contents.metadata));
    }),
  );
});

test("the order in which arrays are given does not change a byte", () => {
  const reversed = {
    tensors: new Map([...EXAMPLE.tensors].reverse()),
    metadata: new Map([...EXAMPLE.metadata].reverse()),
  };
  assert.deepEqual(writeSafetensors(reversed), writeSafetensors(EXAMPLE));
});

test("the data begins on a multiple of 8 bytes and every array on one of its element size", () => {
  const file = writeSafetensors(EXAMPLE);
  const headerBytes = Number(new DataView(file.buffer).getBigUint64(0, true));
  assert.equal(headerBytes % 8, 0);
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + headerBytes)));
  for (const name of ["matrix", "ids", "empty"]) assert.equal(header[name].data_offsets[0] % 4, 0);
});

test("any prefix of a file, and any file with bytes added, is refused", () => {
  const file = writeSafetensors(EXAMPLE);
  for (let length = 0; length < file.length; length++) {
    assert.throws(() => readSafetensors(file.subarray(0, length)), SafetensorsError);
  }
  assert.throws(() => readSafetensors(Uint8Array.of(...file, 0)), SafetensorsError);
});

test("random bytes in a file are read or refused by name, never anything else", () => {
  const file = writeSafetensors(EXAMPLE);
  const places = fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(places, (changes) => {
      const damaged = file.slice();
      for (const [place, value] of changes) damaged[place] = value;
      try {
        readSafetensors(damaged);
      } catch (error) {
        assert.ok(error instanceof SafetensorsError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

const REFUSED: readonly (readonly [string, Uint8Array, RegExp])[] = [
  [
    "a header length past the end of the file",
    Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 123),
    /header of at most/,
  ],
  ["a header that is not JSON", fileOf("{nonsense}"), /JSON header/],
  ["a header that is a list", fileOf("[]"), /starts with "\{"/],
  ["arrays that overlap", fileOf({ a: entry(0, 4), b: entry(2, 6) }, 6), /"b" to begin at byte 4, got 2/],
  ["a gap between arrays", fileOf({ a: entry(0, 4), b: entry(5, 6) }, 6), /"b" to begin at byte 4, got 5/],
  ["data that no array claims", fileOf({ a: entry(0, 4) }, 6), /expected 4 bytes of data, got 6/],
  ["offsets past the data", fileOf({ a: entry(0, 9) }, 6), /expected 9 bytes of data, got 6/],
  [
    "offsets that descend",
    fileOf({ a: { ...entry(0, 0), data_offsets: [4, 0] } }, 4),
    /ascending data_offsets/,
  ],
  ["a shape that does not fill its bytes", fileOf({ a: entry(0, 4, [3]) }, 4), /expected 3 bytes for "a"/],
  ["a shape whose product overflows", fileOf({ a: entry(0, 4, [2 ** 52, 2 ** 52]) }, 4), /bytes for "a"/],
  ["a negative size", fileOf({ a: entry(0, 4, [-2, -2]) }, 4), /shape of whole numbers/],
  ["an unknown dtype", fileOf({ a: entry(0, 4, [4], "toString") }, 4), /dtype of F32, I32, U32, I8, U8/],
  ["an unknown field", fileOf({ a: { ...entry(0, 4), extra: 1 } }, 4), /unknown field "extra"/],
  ["metadata that is not text", fileOf({ __metadata__: { n: 1 } }), /text for metadata "n"/],
  [
    "the name __proto__",
    fileOf('{"__proto__":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
    /reserved name/,
  ],
  [
    "a name twice, once with an escape",
    fileOf('{"__metadata__":{"a":"x","\\u0061":"y"}}'),
    /repeated or reserved name "a"/,
  ],
];

for (const [what, file, message] of REFUSED) {
  test(`${what} is refused`, () => {
    assert.throws(
      () => readSafetensors(file),
      (error) => error instanceof SafetensorsError && message.test(error.message),
    );
  });
}

for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
  test(`${value} is neither written nor read`, () => {
    const tensors = new Map([["w", { shape: [2], data: Float32Array.of(1, value) }]]);
    assert.throws(() => writeSafetensors({ tensors, metadata: new Map() }), /finite values in "w".* at 1/);
    const file = fileOf({ w: entry(0, 4, [1], "F32") }, 4);
    new DataView(file.buffer).setFloat32(file.length - 4, value, true);
    assert.throws(() => readSafetensors(file), /finite values in "w"/);
  });
}

test("an array whose shape does not match its length is not written", () => {
  const tensors = new Map([["w", { shape: [3], data: Float32Array.of(1, 2) }]]);
  assert.throws(() => writeSafetensors({ tensors, metadata: new Map() }), /expected 12 bytes for "w"/);
});

const PYTHON = `
import sys
from safetensors import safe_open
from safetensors.numpy import save_file
with safe_open(sys.argv[1], framework="numpy") as f:
    assert f.metadata() == {"made": "by h\\u00e4nde"}, f.metadata()
    arrays = {name: f.get_tensor(name) for name in f.keys()}
assert arrays["matrix"].shape == (2, 3) and arrays["matrix"][0, 2] == 3.5
assert arrays["ids"].tolist() == [0, 4294967295] and arrays["small"].tolist() == [-1, 2, -128]
assert arrays["empty"].shape == (0, 4) and arrays["bytes"].tolist() == [255]
save_file(arrays, sys.argv[2], metadata={"made": "in Python"})
`;
const python = spawnSync("python3", ["-c", "import safetensors.numpy"]).status === 0;

test("Python's safetensors reads our file, and we read what it writes", {
  skip: python ? false : "python3 has no safetensors with NumPy here (pip install safetensors numpy)",
}, () => {
  const folder = mkdtempSync(join(tmpdir(), "phasewise-safetensors-"));
  try {
    const ours = join(folder, "ours.safetensors");
    const theirs = join(folder, "theirs.safetensors");
    writeFileSync(ours, writeSafetensors(EXAMPLE));
    const { status, stderr } = spawnSync("python3", ["-c", PYTHON, ours, theirs], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    assert.deepEqual(sorted(readSafetensors(readFileSync(theirs)).tensors), sorted(EXAMPLE.tensors));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
