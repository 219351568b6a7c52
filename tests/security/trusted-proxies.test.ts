import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { BEARER, type Rig, startRig } from "../services/serving/rig.ts";
import { ask } from "../support/raw-client.ts";

const PROXY = "127.0.0.9";
const A_MINUTE = 5;
const WRONG_KEYS = 3;

describe("rates behind a trusted proxy", () => {
  let rig: Rig;
  let clients = 0;

  /** A client that nobody has seen yet. */
  const somebody = (): string => `203.0.113.${++clients}`;
  const statusOf = async (path: string, from: string, headers: Record<string, string>): Promise<number> =>
    (await ask(`${rig.server.url}${path}`, { from, headers })).status;
  const list = (from: string, forwarded: string): Promise<number> =>
    statusOf("/recommend?k=2", from, { "x-forwarded-for": forwarded });
  const useUp = async (from: string, forwarded: () => string): Promise<void> => {
    for (let n = 0; n < A_MINUTE; n++) assert.equal(await list(from, forwarded()), 200);
    assert.equal(await list(from, forwarded()), 429);
  };

  before(async () => {
    rig = await startRig({
      limits: { publicRequestsPerMinute: A_MINUTE, failedKeysPerMinute: WRONG_KEYS },
      settings: { trustedProxies: `${PROXY},10.0.0.0/8` },
    });
    const popular = await rig.register("popularity");
    const first = { expectedLive: null, reason: "first" };
    await rig.http().post(`/models/${popular}/promote`).set(BEARER).send(first).expect(200);
  });
  after(() => rig.stop());

  it("are counted for each client that it names, and the others go on", async () => {
    const [greedy, other] = [somebody(), somebody()];
    await useUp(PROXY, () => greedy);
    assert.equal(await list(PROXY, other), 200);
  });

  it("are those of the last address that no trusted proxy has: what a client wrote before it gains nothing", async () => {
    const greedy = somebody();
    await useUp(PROXY, () => `${somebody()}, ${greedy}, 10.1.2.3`);
  });

  it("are of the connection itself where no proxy is trusted, whatever it says", async () => {
    await useUp("127.0.0.8", somebody);
  });

  it("of wrong keys, too, so that one who guesses locks nobody else out", async () => {
    const [guesser, other] = [somebody(), somebody()];
    const guess = (forwarded: string): Promise<number> =>
      statusOf("/audit", PROXY, { authorization: "Bearer a guess", "x-forwarded-for": forwarded });
    for (let n = 0; n < WRONG_KEYS; n++) assert.equal(await guess(guesser), 401);
    assert.equal(await guess(guesser), 429);
    assert.equal(await guess(other), 401);
    assert.equal(await statusOf("/audit", PROXY, { ...BEARER, "x-forwarded-for": guesser }), 200);
  });
});
