import { setTimeout as pause } from "node:timers/promises";
import { ask, halfABody, type RawClient, rawClient } from "../../support/raw-client.ts";
import { type LoadProcess, startLoad } from "../load.ts";
import { quantile } from "../quantile.ts";
import type { Figures } from "./figures.ts";
import { withSmallService } from "./small-service.ts";

const ATTACKERS = 500;
const CLIENTS = 4;
const SECONDS = 8;
const HALF_A_HEADER = "GET /recommend HTTP/1.1\r\nhost: x\r\nx-slow: ";
const UNREAD = "GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n".repeat(20);

interface Others {
  readonly share: number;
  readonly p99: number;
}

async function others(load: LoadProcess): Promise<Others> {
  const replies = await load.closed(CLIENTS, SECONDS);
  const good = replies.filter(({ status }) => status === 200);
  return {
    share: (100 * good.length) / replies.length,
    p99: quantile(
      good.map(({ tookMs }) => tookMs),
      0.99,
    ),
  };
}

const said = (during: Others, before: Others): string =>
  `others ${during.share.toFixed(2)} % 200, p99 ${during.p99.toFixed(1)} ms (${before.p99.toFixed(1)} before)`;

/** F14: so many half headers; F21: as many that read nothing, send half a body and open it again, or idle. */
export function slowClients(): Promise<Figures> {
  return withSmallService(async ({ api: { url }, users, authorization }) => {
    const load = startLoad({ url, authorization, users });
    await load.closed(CLIENTS, 2);
    const before = await others(load);

    const startedAt = performance.now();
    const slow = Array.from({ length: ATTACKERS }, () => rawClient(url, HALF_A_HEADER));
    let closedMs = 0;
    const closed = Promise.all(slow.map(({ heard }) => heard)).then(() => {
      closedMs = performance.now() - startedAt;
    });
    const during = await others(load);
    await closed;

    let attack = true;
    const holders = Array.from({ length: 200 }, async () => {
      while (attack) await rawClient(url, halfABody("/recommend")).heard;
    });
    const idle: RawClient[] = Array.from({ length: 200 }, () => rawClient(url, ""));
    const unread = Array.from({ length: 100 }, () => rawClient(url, UNREAD));
    for (const { socket } of unread) socket.pause();
    let operators = 0;
    let heard = 0;
    const asked = (async () => {
      while (attack) {
        const { status } = await ask(`${url}/audit`, { headers: { authorization } });
        operators++;
        heard += Number(status === 200);
        await pause(50);
      }
    })();
    const meanwhile = await others(load);
    attack = false;
    await asked;
    for (const { socket } of [...idle, ...unread]) socket.destroy();
    await Promise.all(holders);
    load.stop();
    return {
      F14: `${ATTACKERS} closed after ${(closedMs / 1000).toFixed(1)} s; ${said(during, before)}`,
      F21: `${said(meanwhile, before)}; operators ${heard} of ${operators}`,
    };
  });
}
