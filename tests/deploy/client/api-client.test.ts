import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { apiClient } from "../../../deploy/client/api-client.ts";
import { ownUrl } from "../../../deploy/client/own-url.ts";

test("the service is found behind a path prefix, with or without a slash at its end", async () => {
  const asked: string[] = [];
  const server = createServer((request, reply) => {
    asked.push(`${request.method} ${request.url}`);
    reply.setHeader("content-type", "application/json").end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  for (const url of [`http://127.0.0.1:${port}/shop/recs`, `http://127.0.0.1:${port}/shop/recs/`]) {
    await apiClient(url, null).get("/ladder");
    await apiClient(url, null).put("/items", { items: [] });
  }
  server.close();
  assert.deepEqual([...new Set(asked)], ["GET /shop/recs/ladder", "PUT /shop/recs/items"]);
});

test("a service that listens everywhere, or by IPv6, is asked where it answers", () => {
  assert.equal(ownUrl({ host: "::1", port: 1 }), "http://[::1]:1");
  assert.equal(ownUrl({ host: "::", port: 1 }), "http://127.0.0.1:1");
  assert.equal(ownUrl({ host: "0.0.0.0", port: 1 }), "http://127.0.0.1:1");
  assert.equal(ownUrl({ host: "recs.local", port: 1 }), "http://recs.local:1");
});
