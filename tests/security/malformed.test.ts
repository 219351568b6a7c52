import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { ADMIN_KEY, type Rig, startRig } from "../services/serving/rig.ts";
import { eventually } from "../support/eventually.ts";
import { answerIn, halfABody, rawClient } from "../support/raw-client.ts";
import { ended, type ServingProcess, spawnServer } from "../support/serving-process.ts";

const JSON_TYPE = "content-type: application/json";

function post(path: string, body: string | Uint8Array, ...headers: string[]): Buffer {
  const bytes = Buffer.from(body);
  const head = [`POST ${path} HTTP/1.1`, "host: x", "connection: close", ...headers];
  return Buffer.concat([
    Buffer.from(`${head.join("\r\n")}\r\ncontent-length: ${bytes.length}\r\n\r\n`),
    bytes,
  ]);
}

function get(path: string, ...headers: string[]): Buffer {
  return Buffer.from(
    [`GET ${path} HTTP/1.1`, "host: x", "connection: close", ...headers, "", ""].join("\r\n"),
  );
}

const nested = (depth: number): string => `{"k":${"[".repeat(depth)}${"]".repeat(depth)}}`;
const bomb = gzipSync(Buffer.alloc(5_000_000, " "));

const CASES: readonly [what: string, sent: Buffer, status: number, code: string][] = [
  ["arrays nested 30,000 deep", post("/recommend", nested(30_000), JSON_TYPE), 400, "BAD_REQUEST"],
  ["arrays nested 100,000 deep", post("/feedback", nested(100_000), JSON_TYPE), 400, "BAD_REQUEST"],
  ["objects that never close", post("/feedback", '{"a":'.repeat(40_000), JSON_TYPE), 400, "BAD_REQUEST"],
  [
    "bytes that are no UTF-8",
    post("/recommend", Buffer.from([0x22, 0xff, 0xfe, 0x22]), JSON_TYPE),
    400,
    "BAD_REQUEST",
  ],
  [
    "half a surrogate in UTF-8",
    post("/recommend", Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), JSON_TYPE),
    400,
    "BAD_REQUEST",
  ],
  ["Latin-1", post("/recommend", "{}", `${JSON_TYPE}; charset=iso-8859-1`), 415, "UNSUPPORTED_MEDIA_TYPE"],
  [
    "UTF-16",
    post("/recommend", Buffer.from("{}", "utf16le"), `${JSON_TYPE};charset="utf-16"`),
    415,
    "UNSUPPORTED_MEDIA_TYPE",
  ],
  [
    "gzip",
    post("/recommend", gzipSync("{}"), JSON_TYPE, "content-encoding: gzip"),
    415,
    "UNSUPPORTED_MEDIA_TYPE",
  ],
  [
    "a gzip bomb",
    post("/recommend", bomb, JSON_TYPE, "content-encoding: gzip"),
    415,
    "UNSUPPORTED_MEDIA_TYPE",
  ],
  ["another type", post("/recommend", "<k/>", "content-type: text/xml"), 415, "UNSUPPORTED_MEDIA_TYPE"],
  ["no type", post("/recommend", "{}"), 415, "UNSUPPORTED_MEDIA_TYPE"],
  ["no body", post("/recommend", "", JSON_TYPE), 400, "BAD_REQUEST"],
  ["half a JSON", post("/recommend", '{"k":', JSON_TYPE), 400, "BAD_REQUEST"],
  ["a prototype", post("/recommend", '{"__proto__":{}}', JSON_TYPE), 400, "BAD_REQUEST"],
  ["a body over the limit", post("/recommend", "x".repeat(70_000), JSON_TYPE), 413, "PAYLOAD_TOO_LARGE"],
  ["no HTTP", Buffer.from("hello\r\n\r\n"), 400, "BAD_REQUEST"],
  ["a method that is none", Buffer.from("BREW /recommend HTTP/1.1\r\nhost: x\r\n\r\n"), 400, "BAD_REQUEST"],
  ["a header with a line break", get("/recommend", "x-a: b\rx: y"), 400, "BAD_REQUEST"],
  [
    "two lengths",
    Buffer.from("POST /feedback HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}"),
    400,
    "BAD_REQUEST",
  ],
  ["headers without end", get("/recommend", `x-long: ${"x".repeat(40_000)}`), 431, "HEADERS_TOO_LARGE"],
  ["no host", Buffer.from("GET /recommend HTTP/1.1\r\nconnection: close\r\n\r\n"), 400, "BAD_REQUEST"],
  ["an expectation", get("/recommend", "expect: the-spanish-inquisition"), 417, "EXPECTATION_FAILED"],
  ["a tunnel", Buffer.from("CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n"), 404, "NOT_FOUND"],
  ["a path that is no text", get("/models/%zz"), 400, "BAD_REQUEST"],
  ["a route that is none", get("/nowhere"), 404, "NOT_FOUND"],
  ["a number out of range", get("/recommend?k=0"), 400, "BAD_REQUEST"],
  ["half a body, and then nothing", Buffer.from(halfABody("/recommend")), 408, "REQUEST_TIMEOUT"],
  ["half a header, and then nothing", Buffer.from("GET /recommend HTTP/1.1\r\nhost"), 408, "REQUEST_TIMEOUT"],
  ["no live model", get("/recommend"), 503, "NOT_READY"],
  ["no key", get("/audit"), 401, "UNAUTHORIZED"],
];

describe("F15 and F25: requests that are none", () => {
  let rig: Rig;
  let served: ServingProcess;
  let api: ChildProcess;

  before(async () => {
    rig = await startRig();
    served = await spawnServer({
      REDIS_URL: rig.redis.url,
      PHASEWISE_HOME: rig.folder,
      PHASEWISE_ADMIN_KEY: ADMIN_KEY,
    });
    api = served.process;
  });
  after(async () => {
    api.kill("SIGKILL");
    await ended(api);
    await rig.stop();
  });

  const refusals = () =>
    served.log.filter(({ msg }) => msg === "request refused" || msg === "request failed");

  for (const [what, sent, status, code] of CASES) {
    it(`${what}: ${status}, in the one shape of an error, with one line in the log`, async () => {
      const before = refusals().length;
      const answer = answerIn(await rawClient(served.url, sent).heard);
      assert.equal(answer.status, status, `${answer.headers}\n${answer.body}`);
      assert.match(answer.headers, /^content-type: application\/json; charset=utf-8\r?$/im);
      const reply = JSON.parse(answer.body) as { error: Record<string, unknown> };
      assert.deepEqual(Object.keys(reply), ["error"]);
      const { code: got, message, requestId, field, details, ...rest } = reply.error;
      assert.equal(got, code, answer.body);
      assert.ok(typeof message === "string" && message.length > 10);
      assert.match(String(requestId), /^[0-9a-f-]{36}$/);
      assert.ok(field === undefined || typeof field === "string");
      assert.ok(details === undefined || typeof details === "object");
      assert.deepEqual(rest, {}, "no field of its own");
      await eventually(() => refusals().length > before, "its line in the log");
      assert.deepEqual(
        refusals()
          .slice(before)
          .map((line) => [line.status, line.code]),
        [[status, code]],
      );
    });
  }

  it("JSON as deep as it may be is read as ever", async () => {
    const { status, body } = answerIn(
      await rawClient(served.url, post("/recommend", nested(31), JSON_TYPE)).heard,
    );
    assert.equal(status, 400);
    assert.match(body, /"field":"k"/, "it is the schema that says no");
  });
});
