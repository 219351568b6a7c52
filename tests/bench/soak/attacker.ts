/**
 * One attacker, in a process of his own: everything at once that was done to this service, from one address. Started by
 * soak.ts with the service's URL and his address; tells at the end, on SIGTERM, what he got.
 */
import { request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { halfABody, rawClient } from "../../support/raw-client.ts";

const [url, from] = process.argv.slice(2);
const got: Record<string, Record<string, number>> = {};
let attacking = true;

function count(what: string, outcome: string | number): void {
  got[what] ??= {};
  got[what][outcome] = (got[what][outcome] ?? 0) + 1;
}

function send(
  what: string,
  path: string,
  { method = "GET", headers = {}, body }: { method?: string; headers?: object; body?: object } = {},
): Promise<void> {
  return new Promise((resolve) => {
    const asked = request(
      `${url}${path}`,
      {
        method,
        localAddress: from,
        agent: false,
        headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      },
      (reply) => {
        count(what, reply.statusCode ?? 0);
        reply.resume().once("close", resolve);
      },
    );
    asked.once("error", () => {
      count(what, "cut");
      resolve();
    });
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Runs one attack again and again until the end; what is left of a round goes with its connection. */
async function keepOn(everyMs: number, attack: (round: number) => Promise<unknown>): Promise<void> {
  for (let round = 0; attacking; round++) {
    await attack(round);
    await pause(everyMs);
  }
}

const together = (times: number, one: (n: number) => Promise<unknown>) =>
  Promise.all(Array.from({ length: times }, (_, n) => one(n)));

async function raw(what: string, text: string | Uint8Array, unread = false): Promise<void> {
  const { socket, heard } = rawClient(url, text, from);
  if (unread) socket.pause();
  const answer = await heard;
  count(what, /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? "closed");
}

const event = (n: number, more: object = {}) => ({
  eventId: `attack-${n}-${Math.random()}`,
  userId: `invented-${n % 500}`,
  itemId: String(1 + (n % 150)),
  type: "watch",
  ...more,
});
const MALFORMED: readonly (string | Uint8Array)[] = [
  "nonsense\r\n\r\n",
  "GET /recommend?k=%00%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
  `GET /recommend HTTP/1.1\r\nhost: x\r\nx-long: ${"x".repeat(20_000)}\r\n\r\n`,
  `POST /recommend HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 40000\r\n\r\n${"[".repeat(40_000)}`,
  Buffer.from(
    "POST /recommend HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\r\n\xff\xfe\xff\xfe",
    "latin1",
  ),
];

process.once("SIGTERM", () => {
  attacking = false;
  process.send?.(got, () => process.exit());
});

void keepOn(50, (n) => send("no key", `/recommend?userId=u${n % 200}`));
void keepOn(100, (n) =>
  send("no key, feedback", "/feedback", {
    method: "POST",
    body: { events: Array.from({ length: 50 }, (_, at) => event(n * 50 + at)) },
  }),
);
void keepOn(100, (n) =>
  send("forged request id", "/feedback", {
    method: "POST",
    body: { events: [event(n, { requestId: `forged.${n}.als-0123456789ab.signature` })] },
  }),
);
void keepOn(50, (n) =>
  send("wrong key", "/rollback", {
    method: "POST",
    headers: { authorization: `Bearer guess-${n}` },
    body: { reason: "mine now" },
  }),
);
void keepOn(200, () =>
  send("no key, retrain", "/retrain", { method: "POST", body: { phase: 1, recipe: "popularity" } }),
);
void keepOn(5000, () => together(300, (n) => send("flood", `/recommend?userId=flood-${n}`)));
void keepOn(100, () => together(50, () => raw("half a body", halfABody("/recommend"))));
void keepOn(1000, () =>
  together(10, () =>
    raw(
      "reads nothing",
      "GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n".repeat(20),
      true,
    ),
  ),
);
void keepOn(100, (n) => raw("malformed", MALFORMED[n % MALFORMED.length]));
