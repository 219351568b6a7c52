import { randomBytes } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Redis } from "ioredis";
import { replaceFile } from "../storage/durable-file.ts";
import { fromStore } from "../store-errors.ts";

const KEY = "installation-secret";
const AGREE_EVERY_MS = 2000;

/**
 * A secret that all replicas of an installation share, made by the first. Redis has it; a copy in the state folder serves
 * a start while Redis is away, and is what a Redis that came back empty is given again.
 */
export async function installationSecret(redis: Redis, file: string): Promise<string> {
  const kept = await readFile(file, "utf8").catch(() => null);
  const offered = kept ?? randomBytes(32).toString("base64url");
  await fromStore("agree on the installation's secret", redis.setnx(KEY, offered));
  const agreed = (await fromStore("agree on the installation's secret", redis.get(KEY))) ?? offered;
  if (agreed !== kept) {
    await mkdir(dirname(file), { recursive: true });
    await replaceFile(file, agreed, 0o600);
  }
  return agreed;
}

/** The copy of the last run, for a start without Redis. */
export async function rememberedSecret(file: string): Promise<string | null> {
  return readFile(file, "utf8").catch(() => null);
}

/** Tells of the secret once the replicas agree on it, and tries until they do, which takes Redis. */
export async function followInstallationSecret(
  redis: Redis,
  file: string,
  use: (secret: string) => void,
  onError: (error: unknown) => void,
): Promise<{ close(): void }> {
  const trying = setInterval(() => void agree(), AGREE_EVERY_MS).unref();
  const agree = async (): Promise<void> => {
    try {
      use(await installationSecret(redis, file));
      clearInterval(trying);
    } catch (error) {
      onError(error);
    }
  };
  await agree();
  return { close: () => clearInterval(trying) };
}
