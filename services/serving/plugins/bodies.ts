import { isUtf8 } from "node:buffer";
import type { FastifyRequest } from "fastify";
import { PhasewiseError } from "../../errors.ts";
import type { App } from "../deps.ts";

/** No schema of a route is half as deep. What walks a value of any depth would run out of stack. */
const MAX_DEPTH = 32;

/** Bodies are JSON in UTF-8 as it is: what is said to be anything else is refused before it is read. */
export function readJsonBodies(app: App): void {
  app.addHook("preParsing", async (request, reply) => {
    const encoding = request.headers["content-encoding"];
    if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
      reply.header("accept-encoding", "identity");
      throw unsupported("content-encoding", `no compression, got "${shortened(encoding)}"; send it as it is`);
    }
    const charset = charsetOf(request);
    if (charset !== null && !/^utf-?8$/i.test(charset)) {
      throw unsupported("content-type", `the charset utf-8, got "${shortened(charset)}"`);
    }
  });
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>(
    "application/json",
    { parseAs: "buffer" },
    (request: FastifyRequest, body: Buffer, done) => {
      if (!isUtf8(body)) done(invalid("text in UTF-8, got other bytes"));
      else if (isDeeperThan(body, MAX_DEPTH))
        done(invalid(`JSON nested at most ${MAX_DEPTH} deep, got deeper`));
      else parse(request, body.toString("utf8"), done);
    },
  );
}

function charsetOf({ headers }: FastifyRequest): string | null {
  return /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(headers["content-type"] ?? "")?.[1] ?? null;
}

function unsupported(field: string, expected: string): PhasewiseError {
  return new PhasewiseError("UNSUPPORTED_MEDIA_TYPE", `${field}: expected ${expected}`, { field });
}

function invalid(expected: string): PhasewiseError {
  return new PhasewiseError("BAD_REQUEST", `body: expected ${expected}`, { field: "body" });
}

function shortened(text: string): string {
  return text.slice(0, 40);
}

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_SQUARE = 91;
const CLOSE_SQUARE = 93;
const OPEN_CURLY = 123;
const CLOSE_CURLY = 125;

/** By brackets outside strings, without parsing; of text that is no JSON it says nothing of use. */
function isDeeperThan(json: Uint8Array, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) inString = !inString;
    else if (inString) at += Number(byte === BACKSLASH);
    else if (byte === OPEN_SQUARE || byte === OPEN_CURLY) depth++;
    else if (byte === CLOSE_SQUARE || byte === CLOSE_CURLY) depth--;
    if (depth > limit) return true;
  }
  return false;
}
