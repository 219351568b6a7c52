/** What `bench:serve` compares with: a bare Fastify that sends one object, shaped by a schema, and prints its address. */
import Fastify from "fastify";

const body: unknown = JSON.parse(process.env.BODY ?? "{}");
const text = { type: "string" };
const item = {
  type: "object",
  properties: {
    itemId: text,
    title: text,
    genres: { type: "array", items: text },
    score: { type: "number" },
  },
};
const model = { type: "object", properties: { version: text, phase: { type: "integer" }, recipe: text } };
const schema = {
  response: {
    200: {
      type: "object",
      properties: {
        requestId: text,
        items: { type: "array", items: item },
        model,
        source: text,
        history: text,
      },
    },
  },
};
const app = Fastify();
app.get("/", { schema }, async () => body);
console.log(await app.listen({ port: 0, host: "127.0.0.1" }));
