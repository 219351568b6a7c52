import { request } from "node:http";
import { connect, type Socket } from "node:net";

/** A client that speaks to the socket itself, as those do who mean no good. */
export interface RawClient {
  readonly socket: Socket;
  /** What came back, until the connection ended; rejects never: a reset ends it too. */
  readonly heard: Promise<string>;
}

/** @param from the address it comes from, on this machine any of 127.0.0.0/8 */
export function rawClient(url: string, text: string | Uint8Array, from = "127.0.0.1"): RawClient {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), localAddress: from });
  let received = "";
  socket.setEncoding("utf8").on("data", (chunk) => {
    received += String(chunk);
  });
  socket.on("error", () => {});
  socket.write(text);
  const heard = new Promise<string>((resolve) => socket.once("close", () => resolve(received)));
  return { socket, heard };
}

/** Headers of a POST whose body never comes whole. */
export function halfABody(path: string): string {
  return `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"k":`;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

/** The first answer in what was heard. */
export function answerIn(heard: string): RawAnswer {
  const end = heard.indexOf("\r\n\r\n");
  const headers = heard.slice(0, end);
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(headers)?.[1] ?? 0), headers, body: heard.slice(end + 4) };
}

/** An ordinary request from an address of one's own choice. */
export function ask(
  url: string,
  { from = "127.0.0.1", headers = {} }: { from?: string; headers?: Record<string, string> } = {},
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { localAddress: from, headers, agent: false }, (reply) => {
      let body = "";
      reply.setEncoding("utf8").on("data", (chunk) => {
        body += String(chunk);
      });
      reply.once("end", () => resolve({ status: reply.statusCode ?? 0, body }));
    });
    asked.once("error", reject).end();
  });
}
