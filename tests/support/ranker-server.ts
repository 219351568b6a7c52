import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
  readonly history: readonly { readonly itemId: string }[];
  readonly k: number;
  readonly exclude: readonly string[];
}

export type Manner =
  | "well"
  | "hang"
  | "fail"
  | "garbage"
  | "numbers"
  | "unknown"
  | "redirect"
  | "endless"
  | "seen";

/** A ranker of somebody else's over real HTTP, which answers as it is told to. */
export interface RankerServer {
  readonly url: string;
  readonly origin: string;
  manner: Manner;
  asked: number;
  close(): Promise<void>;
}

/** @param rank the items that it would recommend, best first, to whoever has seen none of them */
export async function startRanker(rank: readonly string[]): Promise<RankerServer> {
  const server: Server = createServer((request, response) => {
    ranker.asked++;
    let text = "";
    request.on("data", (chunk) => {
      text += String(chunk);
    });
    request.on("end", () => {
      const { history, k, exclude } = JSON.parse(text) as Asked;
      const known = new Set([...history.map(({ itemId }) => itemId), ...exclude]);
      const items = rank.filter((item) => !known.has(item)).slice(0, k);
      const send = (body: string, status = 200): void => {
        response.writeHead(status, { "content-type": "application/json", location: "/elsewhere" }).end(body);
      };
      switch (ranker.manner) {
        case "well":
          return send(JSON.stringify({ items }));
        case "hang":
          return;
        case "fail":
          return send("{}", 500);
        case "garbage":
          return send("<html>");
        case "numbers":
          return send(JSON.stringify({ items: [1, 2] }));
        case "unknown":
          return send(JSON.stringify({ items: ["nobody-knows", ...items].slice(0, k) }));
        case "redirect":
          return send("", 302);
        case "seen":
          return send(JSON.stringify({ items: [history[0]?.itemId, ...items].slice(0, k) }));
        case "endless":
          response.writeHead(200);
          for (let megabyte = 0; megabyte < 3; megabyte++) response.write("x".repeat(1_000_000));
          response.end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ranker: RankerServer = {
    url: `${origin}/rank`,
    origin,
    manner: "well",
    asked: 0,
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
  return ranker;
}
