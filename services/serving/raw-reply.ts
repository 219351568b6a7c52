import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import { ERROR_STATUS, type ErrorCode } from "../errors.ts";

/** An error as every route tells it, for a socket that has no request yet that could be answered. Ends the connection. */
export function rawReply(code: ErrorCode, message: string, retryAfterSeconds?: number): string {
  const status = ERROR_STATUS[code];
  const body = JSON.stringify({ error: { code, message, requestId: randomUUID() } });
  const retry = retryAfterSeconds === undefined ? "" : `retry-after: ${retryAfterSeconds}\r\n`;
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json; charset=utf-8\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\n${retry}connection: close\r\n\r\n${body}`
  );
}
