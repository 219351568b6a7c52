import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { ConnectionError, FastifyBaseLogger } from "fastify";
import { ERROR_STATUS, type ErrorCode, PhasewiseError } from "../../errors.ts";
import type { App } from "../deps.ts";
import { rawReply } from "../raw-reply.ts";

/** What Node's parser and timers say of a connection, as this service says it. */
const PARSER_ERRORS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [
    "REQUEST_TIMEOUT",
    "expected the whole request within 5 s, its headers within 3 s",
  ],
  HPE_HEADER_OVERFLOW: ["HEADERS_TOO_LARGE", "expected 16 KiB of headers at most, got more"],
};
const NOT_HTTP: readonly [ErrorCode, string] = [
  "BAD_REQUEST",
  "expected an HTTP/1.1 request, got something else",
];

/** Errors of a connection that has no request to answer look like all others, with one log line each. */
export function answerParserErrors(log: FastifyBaseLogger, error: ConnectionError, socket: Socket): void {
  // Set by Node: a reply that is under way there. More bytes after its headers would be taken for a part of it.
  const { _httpMessage: reply } = socket as Socket & { _httpMessage?: { headersSent: boolean } | null };
  if (error.code === "ECONNRESET" || !socket.writable || reply?.headersSent === true) {
    socket.destroy();
    return;
  }
  refuse(log, socket, ...(PARSER_ERRORS[error.code] ?? NOT_HTTP));
}

/** Three things that Node refuses by itself, in words of its own or in none. */
export function answerForNode(app: App): void {
  app.addHook("onRequest", async ({ raw }) => {
    if (raw.headers.host !== undefined || raw.httpVersion !== "1.1") return;
    throw new PhasewiseError("BAD_REQUEST", "host: expected the header, got none", { field: "host" });
  });
  app.server.on("checkExpectation", ({ socket }: IncomingMessage, _reply: ServerResponse) =>
    refuse(app.log, socket, "EXPECTATION_FAILED", "expect: expected 100-continue or nothing"),
  );
  app.server.on("connect", (_request: IncomingMessage, socket: Socket) =>
    refuse(app.log, socket, "NOT_FOUND", "expected a route, got CONNECT; this is no proxy"),
  );
}

function refuse(log: FastifyBaseLogger, socket: Socket, code: ErrorCode, message: string): void {
  log.info({ status: ERROR_STATUS[code], code, reason: message }, "request refused");
  socket.on("error", () => {});
  socket.end(rawReply(code, message), () => socket.destroy());
}
