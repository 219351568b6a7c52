import { BlockList, isIP } from "node:net";
import { PhasewiseError } from "../errors.ts";

/** Addresses whose `X-Forwarded-For` is believed. */
export interface TrustedProxies {
  /** As Fastify takes them; empty for none. */
  readonly ranges: readonly string[];
  readonly list: BlockList;
}

/**
 * @param text addresses and CIDR ranges, separated by commas; null for none
 * @throws INVALID_CONFIGURATION
 */
export function trustedProxies(text: string | null): TrustedProxies {
  const ranges = (text ?? "").split(",").filter((range) => range !== "");
  const list = new BlockList();
  for (const range of ranges) {
    const [address, bits] = range.split("/");
    const family = isIP(address);
    const whole = family === 4 ? 32 : 128;
    const prefix = bits === undefined ? whole : Number(bits);
    if (family === 0 || !(Number.isInteger(prefix) && prefix >= 1 && prefix <= whole)) {
      throw new PhasewiseError(
        "INVALID_CONFIGURATION",
        `trusted proxies: expected an address or a CIDR range such as 10.0.0.0/8, got "${range}"; correct PHASEWISE_TRUSTED_PROXIES`,
        { setting: "trustedProxies", variable: "PHASEWISE_TRUSTED_PROXIES" },
      );
    }
    list.addSubnet(address, prefix, family === 4 ? "ipv4" : "ipv6");
  }
  return { ranges, list };
}

export function isTrusted({ ranges, list }: TrustedProxies, address: string): boolean {
  if (ranges.length === 0) return false;
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
  const family = isIP(plain);
  return family !== 0 && list.check(plain, family === 4 ? "ipv4" : "ipv6");
}
