import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import * as fc from "fast-check";
import { BEARER, type Rig, startRig } from "../services/serving/rig.ts";
import { arbitraryOf, type KnownValues, type Schema } from "../support/arbitrary-of-schema.ts";

/** Requests a route; `PHASEWISE_FUZZ_RUNS=5000 npm test -- security/openapi` takes longer and finds more. */
const RUNS = Number(process.env.PHASEWISE_FUZZ_RUNS ?? 48);
/** Share of a route's requests, by callers who may use it, that its schemas must have let through. */
const LEAST_VALID = 0.2;

const UNLIMITED = {
  targetMs: 60_000,
  operatorRequestsPerMinute: 1_000_000,
  publicRequestsPerMinute: 1_000_000,
  browserRequestsPerMinute: 1_000_000,
  userRequestsPerMinute: 1_000_000,
  failedKeysPerMinute: 1_000_000,
};
const PAGE = "https://shop.example";
/** Bodies whose fields must agree with each other, which no schema says. */
const AGREEING: Readonly<Record<string, readonly object[]>> = {
  "/keys": [
    { name: "shop", scopes: ["serve", "ingest"] },
    { name: "page", kind: "publishable", origins: [PAGE] },
  ],
  // A moment that exists, and names of attributes: a pattern allows many that are none.
  "/items": [
    { items: [{ itemId: "f1", title: "Film", genres: ["Drama"], year: 1999, available: true }] },
    {
      items: [
        { itemId: "f2", attributes: { studio: "A24", length: 97, tags: ["calm"] }, availableFrom: null },
      ],
    },
    { items: [{ itemId: "f2", availableFrom: "2024-05-01T10:00:00Z", availableUntil: "2099-01-01" }] },
  ],
};
const CALLERS = ["nobody", "publishable", "serve", "ingest", "operate", "admin"] as const;
type CallerKind = (typeof CALLERS)[number];

interface Parameter {
  readonly in: "path" | "query";
  readonly name: string;
  readonly required?: boolean;
  readonly schema: Schema;
}
type Content = Readonly<Record<string, { readonly schema: Schema }>>;
interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}
interface Description {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Route {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

interface Call {
  readonly caller: CallerKind;
  readonly url: string;
  readonly body: unknown;
}

interface Tally {
  /** Of callers whom the route serves: requests, and those of them that no schema refused. */
  permitted: number;
  valid: number;
  readonly statuses: Map<number, number>;
  /** Times that a late Redis made one ask again. */
  again: number;
}

const emptyTally = (): Tally => ({ permitted: 0, valid: 0, statuses: new Map(), again: 0 });

/** A Redis that is late on a busy machine is not the request's doing: it is asked again, so often at most. */
const MOST_TRIES = 100;
const PAUSE_MS = 100;

describe("F13: the API's own description", () => {
  let rig: Rig;
  let described: Description;
  let known: KnownValues;
  const headers = new Map<CallerKind, Record<string, string>>();

  before(async () => {
    // A request that is told to wait says nothing of its schema.
    rig = await startRig({ limits: UNLIMITED });
    const http = rig.http();
    const popular = await rig.register("popularity");
    const knn = await rig.register("item-knn");
    const first = { expectedLive: null, reason: "first" };
    await http.post(`/models/${popular}/promote`).set(BEARER).send(first).expect(200);
    described = (await http.get("/openapi.json").expect(200)).body as Description;
    headers.set("nobody", {});
    headers.set("admin", BEARER);
    for (const scope of ["serve", "ingest", "operate"] as const) {
      const made = await http
        .post("/keys")
        .set(BEARER)
        .send({ name: scope, scopes: [scope] })
        .expect(201);
      headers.set(scope, { authorization: `Bearer ${made.body.key}` });
    }
    const spare = await http
      .post("/keys")
      .set(BEARER)
      .send({ name: "spare", scopes: ["serve"] })
      .expect(201);
    const page = { name: "page", kind: "publishable", origins: [PAGE] };
    const made = await http.post("/keys").set(BEARER).send(page).expect(201);
    headers.set("publishable", { authorization: `Bearer ${made.body.key}`, origin: PAGE });
    known = {
      id: [spare.body.id],
      version: [popular, knn],
      expectedLive: [popular, knn, null],
      itemId: ["f1", "f2"],
      userId: ["anna", "ben"],
      genre: ["Drama"],
      phase: [1],
      recipe: ["popularity", "popular-lately"],
      params: [{}],
      type: ["watch", "rating"],
      rating: [1, 4.5],
      timestamp: [1_700_000_000_000, "2024-05-01T10:00:00Z"],
      requestId: ["r-1"],
    };
  });
  after(() => rig.stop());

  it("is OpenAPI 3.1 that validates", async () => {
    assert.equal(described.openapi, "3.1.0");
    const { valid, errors } = await new Validator().validate({ ...described });
    assert.equal(valid, true, JSON.stringify(errors));
  });

  it("holds for whatever is asked, by whoever asks: no server error, no reply that it does not describe", {
    timeout: 3_600_000,
  }, async (t) => {
    const total = emptyTally();
    const routes = routesOf(described);
    for (const route of routes) {
      const name = `${route.method.toUpperCase()} ${route.path}`;
      const replies = repliesOf(route.operation);
      const tally = emptyTally();
      const property = fc.asyncProperty(callOf(route, known), async (call) => {
        await ask(route, call, replies, tally);
      });
      await fc.assert(property, { numRuns: RUNS, seed: 13 });
      t.diagnostic(`${name}: ${inWords(tally)}`);
      add(tally, total);
      assert.ok(tally.permitted > 0, `${name}: nobody may use it`);
      assert.ok(
        tally.valid >= LEAST_VALID * tally.permitted,
        `${name}: ${tally.valid} of ${tally.permitted} requests were valid: too few to mean much`,
      );
    }
    t.diagnostic(`all ${routes.length} routes: ${inWords(total)}`);
  });

  async function ask(
    route: Route,
    { caller, url, body }: Call,
    replies: Replies,
    tally: Tally,
  ): Promise<void> {
    const { status, text, isJson } = await answered(route, { caller, url, body }, tally);
    const said = `${caller}: ${route.method} ${url} ${JSON.stringify(body)} → ${status} ${text.slice(0, 400)}`;
    tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1);
    // The replica is ready and idle: whatever is asked, the fault is the caller's.
    assert.ok(status < 500, said);
    if (status !== 401 && status !== 403) {
      tally.permitted++;
      if (status !== 400 && status !== 413) tally.valid++;
    }
    const check = replies.of(status);
    assert.ok(check !== undefined, `not described: ${said}`);
    if (isJson) assert.ok(check(JSON.parse(text)), `${JSON.stringify(check.errors)}: ${said}`);
  }

  async function answered({ method }: Route, { caller, url, body }: Call, tally: Tally) {
    const sends = body !== undefined;
    for (let tries = 1; ; tries++) {
      const response = await fetch(new URL(url, rig.server.url), {
        method: method.toUpperCase(),
        headers: { ...headers.get(caller), ...(sends ? { "content-type": "application/json" } : {}) },
        ...(sends ? { body: JSON.stringify(body) } : {}),
      });
      const text = await response.text();
      const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
      const isLate = response.status === 503 && text.includes('"STORE_UNAVAILABLE"');
      if (!isLate || tries === MOST_TRIES) return { status: response.status, text, isJson };
      tally.again++;
      await pause(PAUSE_MS);
    }
  }
});

/** "200 × 4,100, 400 × 900; 82.0 % of 4,500 by callers who may were valid" */
function inWords({ statuses, permitted, valid, again }: Tally): string {
  const counts = [...statuses].sort(([a], [b]) => a - b);
  const classes = counts.map(([status, count]) => `${status} × ${count.toLocaleString("en")}`).join(", ");
  const share = ((100 * valid) / permitted).toFixed(1);
  return `${classes}; ${share} % of ${permitted.toLocaleString("en")} by callers who may were valid${again === 0 ? "" : `; asked again ${again} times`}`;
}

function add({ permitted, valid, statuses, again }: Tally, total: Tally): void {
  total.again += again;
  total.permitted += permitted;
  total.valid += valid;
  for (const [status, count] of statuses) {
    total.statuses.set(status, (total.statuses.get(status) ?? 0) + count);
  }
}

function routesOf({ paths }: Description): readonly Route[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
}

interface Replies {
  /** What a reply of this status must look like; undefined where the description has none. */
  of(status: number): ValidateFunction | undefined;
}

function repliesOf({ responses }: Operation): Replies {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const checks = new Map(
    Object.entries(responses).map(([status, { content }]) => [
      status.toUpperCase(),
      ajv.compile(content?.["application/json"]?.schema ?? {}),
    ]),
  );
  return { of: (status) => checks.get(String(status)) ?? checks.get(`${String(status)[0]}XX`) };
}

/** Requests as the description allows them, and one in three with a value, a body or a path that it does not. */
function callOf({ path, operation }: Route, known: KnownValues): fc.Arbitrary<Call> {
  const parameters = operation.parameters ?? [];
  const schema = operation.requestBody?.content["application/json"]?.schema;
  const values = Object.fromEntries(
    parameters.map(({ name, schema }) => [name, mostly(arbitraryOf(schema, known, name), fc.string())]),
  );
  const optional = parameters.filter(({ required }) => required !== true).map(({ name }) => name);
  const body =
    schema === undefined
      ? fc.constant(undefined)
      : mostly(
          fc.oneof(
            arbitraryOf(schema, known),
            ...(AGREEING[path] ?? []).map((agreeing) => fc.constant(agreeing)),
          ),
          fc.oneof(fc.jsonValue(), oneValueWrong(schema, known)),
        );
  return fc.record({
    caller: fc.constantFrom(...CALLERS),
    url: fc
      .record(values, { requiredKeys: Object.keys(values).filter((name) => !optional.includes(name)) })
      .map((given) => urlOf(path, parameters, given)),
    body,
  });
}

function mostly<T>(right: fc.Arbitrary<T>, wrong: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 4, arbitrary: right }, { weight: 1, arbitrary: wrong });
}

function oneValueWrong(schema: Schema, known: KnownValues): fc.Arbitrary<unknown> {
  const names = Object.keys(schema.properties ?? {});
  if (names.length === 0) return fc.jsonValue();
  return fc
    .tuple(arbitraryOf(schema, known), fc.constantFrom(...names), fc.jsonValue())
    .map(([whole, name, value]) => ({ ...(whole as object), [name]: value }));
}

function urlOf(
  path: string,
  parameters: readonly Parameter[],
  given: Readonly<Record<string, unknown>>,
): string {
  const query = new URLSearchParams();
  let filled = path;
  for (const { in: place, name } of parameters) {
    const value = given[name];
    if (value === undefined) continue;
    if (place === "query") query.append(name, String(value));
    else filled = filled.replace(`{${name}}`, encodeURIComponent(String(value).toWellFormed()) || "x");
  }
  return `${filled}?${query}`;
}
