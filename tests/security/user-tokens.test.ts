import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHmac, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { exportJWK, exportSPKI, type JWTPayload, SignJWT } from "jose";
import { keySource, type TokenAlgorithm } from "../../services/keys/token-keys.ts";
import { openUserTokens, UserTokens } from "../../services/keys/user-tokens.ts";
import { BEARER, type Rig, startRig } from "../services/serving/rig.ts";
import { eventually } from "../support/eventually.ts";

const SHOP = "https://shop.example";
const RULES = { algorithm: "HS256", issuer: SHOP, audience: "phasewise" } as const;

interface Signing {
  readonly alg?: string;
  readonly kid?: string;
  readonly expires?: string | number;
  readonly claims?: JWTPayload;
}

/** What the site's back end would send to its page. */
function signed(key: KeyObject | Uint8Array, user: string | null, signing: Signing = {}): Promise<string> {
  const { alg = "HS256", kid, expires = "5m", claims = {} } = signing;
  const token = new SignJWT({
    iss: SHOP,
    aud: "phasewise",
    ...(user === null ? {} : { sub: user }),
    ...claims,
  });
  return token
    .setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }) })
    .setExpirationTime(expires)
    .sign(key);
}

const newSecret = (): string => randomBytes(32).toString("base64url");
const bytesOf = (secret: string): Uint8Array => new TextEncoder().encode(secret);

describe("a page with a publishable key and a user token", () => {
  const secret = newSecret();
  let rig: Rig;
  let raw: Redis;
  let home: string;
  let page: Record<string, string>;

  const as = (token: string) => ({ ...page, "x-user-token": token });
  const by = async (user: string, signing: Signing = {}) => as(await signed(bytesOf(secret), user, signing));
  const watched = (eventId: string, userId: string, itemId: string) => ({
    events: [{ eventId, userId, itemId, type: "watch" }],
  });

  before(async () => {
    home = await mkdtemp(join(tmpdir(), "phasewise-tokens-"));
    const tokenKeys = join(home, "secrets");
    await writeFile(tokenKeys, `${secret}\n`);
    rig = await startRig({
      limits: { browserRequestsPerMinute: 200 },
      settings: {
        tokenKeys,
        tokenAlgorithm: RULES.algorithm,
        tokenIssuer: RULES.issuer,
        tokenAudience: RULES.audience,
      },
    });
    raw = new Redis(rig.redis.url);
    const popular = await rig.register("popularity");
    const first = { expectedLive: null, reason: "first" };
    await rig.http().post(`/models/${popular}/promote`).set(BEARER).send(first).expect(200);
    const order = { name: "pages", kind: "publishable", origins: [SHOP] };
    const made = await rig.http().post("/keys").set(BEARER).send(order).expect(201);
    page = { authorization: `Bearer ${made.body.key}`, origin: SHOP };
  });
  after(async () => {
    raw.disconnect();
    await rig.stop();
    await rm(home, { recursive: true, force: true });
  });

  it("is answered from the user's stored history, named or not", async () => {
    const real = watched("real", "anna", "f1");
    await rig.http().post("/feedback").set(BEARER).send(real).expect(202);
    const headers = await by("anna");
    await eventually(async () => {
      const { body } = await rig.http().get("/recommend?userId=anna&k=100").set(headers).expect(200);
      return (
        body.history === "stored" && !body.items.some((item: { itemId: string }) => item.itemId === "f1")
      );
    }, "the history is read");
    const unnamed = await rig.http().get("/recommend?k=100").set(headers).expect(200);
    assert.equal(unnamed.body.history, "stored");
  });

  it("says what the user did, as well as a back end says it", async () => {
    const headers = await by("bela");
    const preflight = await rig.http().options("/feedback").set("origin", SHOP).expect(204);
    assert.match(preflight.headers["access-control-allow-headers"], /x-user-token/);
    await rig
      .http()
      .post("/feedback")
      .set(headers)
      .send(watched("b1", "bela", "f2"))
      .expect(202);
    const [[, fields]] = await raw.xrevrange("{phasewise}:events", "+", "-", "COUNT", 1);
    const event = JSON.parse(fields[1]);
    assert.deepEqual([event.userId, event.itemId], ["bela", "f2"]);
    assert.match(event.source, /^[0-9a-f]{12}$/);
  });

  it("speaks for nobody else: not in lists, not in events, not once among his own", async () => {
    const headers = await by("anna");
    const length = await raw.xlen("{phasewise}:events");
    const other = await rig.http().get("/recommend?userId=bela").set(headers).expect(403);
    assert.equal(other.body.error.field, "userId");
    const events = [...watched("c1", "anna", "f3").events, ...watched("c2", "bela", "f3").events];
    const mixed = await rig.http().post("/feedback").set(headers).send({ events }).expect(403);
    assert.equal(mixed.body.error.field, "events.1.userId");
    assert.equal(await raw.xlen("{phasewise}:events"), length);
  });

  it("gains no operator's route, and none beyond its own pages", async () => {
    const headers = await by("anna");
    for (const path of ["/ladder", "/audit", "/keys"]) await rig.http().get(path).set(headers).expect(403);
    await rig
      .http()
      .get("/recommend")
      .set({ ...headers, origin: "https://evil.example" })
      .expect(403);
    const { "x-user-token": token } = headers;
    await rig.http().get("/recommend").set({ "x-user-token": token }).expect(401);
  });

  it("is refused with a token that is expired, forged, or of another issuer, audience or user id", async () => {
    const now = Math.floor(Date.now() / 1000);
    const wrong: Record<string, string> = {
      expired: await signed(bytesOf(secret), "anna", { expires: now - 60 }),
      "not valid yet": await signed(bytesOf(secret), "anna", { claims: { nbf: now + 600 } }),
      "another secret": await signed(bytesOf(newSecret()), "anna"),
      "another issuer": await signed(bytesOf(secret), "anna", { claims: { iss: "https://evil.example" } }),
      "another audience": await signed(bytesOf(secret), "anna", { claims: { aud: "mail" } }),
      "no user": await signed(bytesOf(secret), null),
      "an empty user": await signed(bytesOf(secret), ""),
      "a long user": await signed(bytesOf(secret), "u".repeat(513)),
      "another algorithm": await signed(bytesOf(secret + secret), "anna", { alg: "HS512" }),
      "no JWT": "anna",
      "an endless one": "e".repeat(5000),
    };
    const endless = await signed(bytesOf(secret), "anna");
    const [header, , mac] = endless.split(".");
    const claims = { iss: SHOP, aud: "phasewise", sub: "bela", exp: now + 300 };
    wrong["another user's claims"] = `${header}.${base64(claims)}.${mac}`;
    wrong["no signature"] = `${base64({ alg: "none" })}.${base64(claims)}.`;
    const withoutEnd = `${base64({ alg: "HS256" })}.${base64({ ...claims, exp: undefined })}`;
    wrong["no end"] = `${withoutEnd}.${createHmac("sha256", secret).update(withoutEnd).digest("base64url")}`;
    for (const [why, token] of Object.entries(wrong)) {
      for (const userId of ["anna", "bela"]) {
        const { status, body } = await rig.http().get(`/recommend?userId=${userId}`).set(as(token));
        assert.equal(status, 401, why);
        assert.equal(body.error.field, "x-user-token", why);
        assert.ok(
          token.length < 10 || !JSON.stringify(body).includes(token),
          "what was sent is not repeated",
        );
      }
    }
    const { text } = await rig.http().get("/metrics").set(BEARER);
    assert.match(
      text,
      new RegExp(`^phasewise_refused_user_tokens_total ${2 * Object.keys(wrong).length}$`, "m"),
    );
  });

  it("without a token names nobody: what it asks is answered, and what it says is refused", async () => {
    const { body } = await rig.http().get("/recommend?userId=anna").set(page).expect(200);
    assert.equal(body.history, "empty");
    const refused = await rig
      .http()
      .post("/feedback")
      .set(page)
      .send(watched("d", "anna", "f4"))
      .expect(403);
    assert.match(refused.body.error.message, /x-user-token/);
  });
});

describe("keys of user tokens", () => {
  let home: string;
  let time = Date.now();
  const errors: unknown[] = [];

  before(async () => {
    home = await mkdtemp(join(tmpdir(), "phasewise-token-keys-"));
  });
  after(() => rm(home, { recursive: true, force: true }));

  const over = (where: string, algorithm: TokenAlgorithm) =>
    new UserTokens(
      { ...RULES, algorithm },
      keySource(where, algorithm),
      () => time,
      (error) => errors.push(error),
    );
  const jwkOf = async (key: KeyObject, kid: string) => ({ ...(await exportJWK(key)), kid });

  it("are a line to make and a few to sign with, as SECURITY.md has them", async () => {
    const text = await readFile("SECURITY.md", "utf8");
    const lines = /```sh\n(head -c [\s\S]+?)```/.exec(text)?.[1] ?? "";
    await symlink(resolve("node_modules"), join(home, "node_modules"));
    const { stdout } = await promisify(execFile)("bash", ["-e", "-c", lines], { cwd: home, timeout: 30_000 });
    const tokens = over(join(home, "token-secret"), "HS256");
    assert.equal(await tokens.userOf(stdout.trim()), "514");
  });

  it("rotate in their file without a restart: the new one at once, the old one until it is taken out", async () => {
    const file = join(home, "rotating");
    const [old, next] = [newSecret(), newSecret()];
    await writeFile(file, old);
    const tokens = over(file, "HS256");
    await tokens.load();
    const [byOld, byNext] = [await signed(bytesOf(old), "anna"), await signed(bytesOf(next), "anna")];
    assert.equal(await tokens.userOf(byOld), "anna");
    await assert.rejects(tokens.userOf(byNext), { code: "UNAUTHORIZED" });
    await writeFile(file, `${next}\n${old}\n`);
    time += 1000;
    for (const token of [byOld, byNext]) assert.equal(await tokens.userOf(token), "anna");
    await writeFile(file, next);
    time += 2000;
    await eventually(async () => {
      assert.equal(await tokens.userOf(byNext), "anna");
      return (await tokens.userOf(byOld).catch(() => null)) === null;
    }, "the old secret is out of use");
  });

  it("stay in use while their file cannot be read, which is told", async () => {
    const file = join(home, "gone");
    const secret = newSecret();
    await writeFile(file, secret);
    const tokens = over(file, "HS256");
    await tokens.load();
    await rm(file);
    time += 2000;
    const before = errors.length;
    const token = await signed(bytesOf(secret), "anna");
    for (let call = 0; call < 3; call++) assert.equal(await tokens.userOf(token), "anna");
    await eventually(async () => errors.length === before + 1, "the error is told once");
  });

  for (const algorithm of ["RS256", "PS256", "ES256", "EdDSA"] as const) {
    it(`are public ones for ${algorithm}, and no public key passes for a secret`, async () => {
      const { publicKey, privateKey } = pairOf(algorithm);
      const file = join(home, algorithm);
      await writeFile(file, JSON.stringify({ keys: [await jwkOf(publicKey, "one")] }));
      const tokens = over(file, algorithm);
      await tokens.load();
      const good = await signed(privateKey, "anna", { alg: algorithm, kid: "one" });
      assert.equal(await tokens.userOf(good), "anna");
      for (const asSecret of [await exportSPKI(publicKey), JSON.stringify(await exportJWK(publicKey))]) {
        const confused = await signed(bytesOf(asSecret), "anna", { alg: "HS256", kid: "one" });
        await assert.rejects(tokens.userOf(confused), { code: "UNAUTHORIZED" });
      }
      const stranger = await signed(pairOf(algorithm).privateKey, "anna", { alg: algorithm, kid: "one" });
      await assert.rejects(tokens.userOf(stranger), { code: "UNAUTHORIZED" });
    });
  }

  it("come from the configured URL, and are asked for anew at most twice a minute", async () => {
    const [one, two] = [pairOf("ES256"), pairOf("ES256")];
    let keys = [await jwkOf(one.publicKey, "one")];
    let asked = 0;
    const site: Server = createServer((request, response) => {
      asked++;
      if (request.url === "/moved") response.writeHead(302, { location: "/jwks" }).end();
      else response.end(JSON.stringify({ keys }));
    });
    await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
    const tokens = over(`${url}/jwks`, "ES256");
    const by = (key: KeyObject, kid: string) => signed(key, "anna", { alg: "ES256", kid });
    assert.equal(await tokens.userOf(await by(one.privateKey, "one")), "anna");
    keys = [...keys, await jwkOf(two.publicKey, "two")];
    const rotated = await by(two.privateKey, "two");
    for (let call = 0; call < 5; call++)
      await assert.rejects(tokens.userOf(rotated), { code: "UNAUTHORIZED" });
    assert.equal(asked, 1);
    time += 30_000;
    assert.equal(await tokens.userOf(rotated), "anna");
    assert.equal(asked, 2);
    // Another address, even of the same site, is not the one that the operator wrote.
    const moved = over(`${url}/moved`, "ES256");
    await assert.rejects(moved.userOf(rotated), { code: "STORE_UNAVAILABLE" });
    await new Promise((resolve) => site.close(resolve));
    site.closeAllConnections();
    time += 300_000;
    const later = await signed(two.privateKey, "anna", { alg: "ES256", kid: "two", expires: "1h" });
    assert.equal(await tokens.userOf(later), "anna");
  });

  it("that would let anybody sign are refused at the start", async () => {
    const { publicKey, privateKey } = pairOf("RS256");
    const jwks = JSON.stringify({ keys: [await jwkOf(publicKey, "one")] });
    const cases: readonly (readonly [TokenAlgorithm, string, RegExp])[] = [
      ["HS256", jwks, /looks like a JWKS/],
      ["HS256", await exportSPKI(publicKey), /PEM/],
      ["HS256", "short", /at least 32 bytes/],
      ["HS256", "\n", /1 to 10 secrets/],
      ["RS256", newSecret(), /expected a JWKS/],
      ["ES256", jwks, /a public key for ES256/],
      ["RS256", JSON.stringify({ keys: [await jwkOf(privateKey, "one")] }), /private one/],
    ];
    for (const [tokenAlgorithm, text, message] of cases) {
      const tokenKeys = join(home, "wrong");
      await writeFile(tokenKeys, text);
      const settings = { tokenKeys, tokenAlgorithm, tokenIssuer: SHOP, tokenAudience: "phasewise" };
      await assert.rejects(
        openUserTokens(settings, Date.now, () => {}),
        (error: Error) => {
          assert.match(error.message, message);
          return !error.message.includes("short\n");
        },
      );
    }
    for (const where of ["http://shop.example/jwks", "https://shop.example/secret"]) {
      const algorithm = where.startsWith("https") ? "HS256" : "RS256";
      assert.throws(() => keySource(where, algorithm), { code: "INVALID_CONFIGURATION" });
    }
    const half = openUserTokens({ tokenKeys: "a-file" }, Date.now, () => {});
    await assert.rejects(half, /expected all of PHASEWISE_TOKEN_KEYS/);
    assert.equal(await openUserTokens({}, Date.now, () => {}), null);
  });
});

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

function pairOf(algorithm: TokenAlgorithm) {
  if (algorithm === "ES256") return generateKeyPairSync("ec", { namedCurve: "P-256" });
  if (algorithm === "EdDSA") return generateKeyPairSync("ed25519");
  return generateKeyPairSync("rsa", { modulusLength: 2048 });
}
