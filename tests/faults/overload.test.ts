import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { after, before, describe, it } from "node:test";
import { ADMIN_KEY, BEARER, type Rig, startRig } from "../services/serving/rig.ts";
import { eventually } from "../support/eventually.ts";
import { ask } from "../support/raw-client.ts";
import { ended, type ServingProcess, spawnServer } from "../support/serving-process.ts";

/** Far more at once than there are slots. How fast all this is: `npm run bench:overload`. */
const CLIENTS = 400;

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly contentType: string | undefined;
  readonly body: string;
}

/** Every other one with a body, which a refusal leaves unread. */
function recommend(url: string, agent: Agent, user: number): Promise<Answer> {
  const withBody = user % 2 === 1;
  const headers = { ...BEARER, ...(withBody ? { "content-type": "application/json" } : {}) };
  const path = withBody ? "/recommend" : `/recommend?userId=u${user}&k=3`;
  return new Promise((resolve, reject) => {
    request(`${url}${path}`, { method: withBody ? "POST" : "GET", agent, headers }, (reply) => {
      let body = "";
      reply.setEncoding("utf8").on("data", (chunk) => {
        body += String(chunk);
      });
      reply.once("end", () => {
        const { "retry-after": retryAfter, "content-type": contentType } = reply.headers;
        resolve({ status: reply.statusCode ?? 0, retryAfter, contentType, body });
      });
    })
      .once("error", reject)
      .end(withBody ? JSON.stringify({ userId: `u${user}`, k: 3, history: ["f1", "f2"] }) : undefined);
  });
}

describe("F18: more requests at once than there is room for", () => {
  let rig: Rig;
  let api: ServingProcess;

  const figureOf = async (line: RegExp): Promise<number> => {
    const { body } = await ask(`${api.url}/metrics`, { headers: BEARER });
    return Number(line.exec(body)?.[1] ?? 0);
  };

  before(async () => {
    rig = await startRig();
    const popular = await rig.register("popularity");
    const first = { expectedLive: null, reason: "first" };
    await rig.http().post(`/models/${popular}/promote`).set(BEARER).send(first).expect(200);
    api = await spawnServer({
      REDIS_URL: rig.redis.url,
      PHASEWISE_HOME: rig.folder,
      PHASEWISE_ADMIN_KEY: ADMIN_KEY,
    });
    await eventually(async () => (await fetch(`${api.url}/readyz`)).status === 200, "ready");
  });
  after(async () => {
    api.process.kill("SIGKILL");
    await ended(api.process);
    await rig.stop();
  });

  it("are answered or told to come back, operators are heard all the while, and afterwards all is well", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
    const answers: Answer[] = [];
    let flood = true;
    const client = async (_: unknown, user: number): Promise<void> => {
      while (flood) answers.push(await recommend(api.url, agent, user));
    };
    const clients = Array.from({ length: CLIENTS }, client);
    const seen = (status: number): number => answers.filter((answer) => answer.status === status).length;
    const operatorsAreHeard = async (): Promise<void> => {
      const paths = ["/audit", "/ladder", "/healthz", "/readyz", "/metrics"];
      for (const { status, body } of await Promise.all(
        paths.map((path) => ask(`${api.url}${path}`, { headers: BEARER })),
      )) {
        assert.equal(status, 200, body);
      }
    };
    await eventually(async () => {
      await operatorsAreHeard();
      return seen(200) >= CLIENTS && seen(503) >= CLIENTS;
    }, "some are answered, some refused");
    flood = false;
    await Promise.all(clients);

    assert.deepEqual([...new Set(answers.map(({ status }) => status))].sort(), [200, 503]);
    const refused = answers.filter(({ status }) => status === 503);
    const ids = new Set<string>();
    for (const { retryAfter, contentType, body } of refused) {
      assert.equal(retryAfter, "1");
      assert.equal(contentType, "application/json; charset=utf-8");
      const { code, message, requestId, ...rest } = JSON.parse(body).error;
      assert.deepEqual([code, rest], ["OVERLOADED", {}]);
      assert.match(message, /try again in a second/);
      ids.add(requestId);
    }
    assert.equal(ids.size, refused.length, "each refusal has an id of its own");
    // The page may be a quarter of a second old.
    await eventually(
      async () =>
        (await figureOf(/^phasewise_refused_total\{cause="in-flight"\} (\d+)$/m)) === refused.length,
      "every refusal is counted",
    );
    const refusedBy = (method: string) =>
      figureOf(
        new RegExp(
          `^phasewise_requests_total\\{route="/recommend",method="${method}",status="503"\\} (\\d+)$`,
          "m",
        ),
      );
    assert.equal((await refusedBy("GET")) + (await refusedBy("POST")), refused.length);

    let well = 0;
    await eventually(async () => {
      const { status } = await recommend(api.url, agent, well);
      well = status === 200 ? well + 1 : 0;
      return well === 100;
    }, "a hundred in a row are answered");
    agent.destroy();
  });
});

describe("no room at all", () => {
  it("is told in the same words behind a proxy, where the framework finds out who asks, and for a path with a parameter", async () => {
    const rig = await startRig({
      limits: { maxInFlight: 0 },
      settings: { trustedProxies: "127.0.0.9" },
    });
    try {
      const refusals = await Promise.all([
        ask(`${rig.server.url}/recommend`),
        ask(`${rig.server.url}/recommend`, {
          from: "127.0.0.9",
          headers: { "x-forwarded-for": "203.0.113.7" },
        }),
        ask(`${rig.server.url}/items/f1/similar`),
      ]);
      for (const { status, body } of refusals) {
        const { code, message } = JSON.parse(body).error;
        assert.deepEqual(
          [status, code, message],
          [503, "OVERLOADED", "too many requests at once; try again in a second"],
        );
      }
      await rig.http().get("/nowhere").expect(404);
      await rig.http().get("/ladder").expect(200);
    } finally {
      await rig.stop();
    }
  });
});
