import { Agent, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { Figures } from "./figures.ts";
import { withSmallService } from "./small-service.ts";

const CLIENTS = 16;
const WRONG_KEYS = 600;

function fateOf(url: string, agent: Agent, authorization: string): Promise<string> {
  return new Promise((resolve) => {
    request(url, { agent, headers: { authorization } }, (reply) => {
      reply.resume().once("end", () => resolve(String(reply.statusCode)));
      reply.once("error", (error) => resolve(error.message));
    })
      .once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      .end();
  });
}

/** F22: wrong keys from the operator's own address, then the right one; F17: SIGTERM under load. */
export function toldToStop(): Promise<Figures> {
  return withSmallService(async ({ api: { url, process: child }, authorization }) => {
    const audit = async (key: string): Promise<number> => {
      const reply = await fetch(`${url}/audit`, { headers: { authorization: key } });
      await reply.arrayBuffer();
      return reply.status;
    };
    const statuses: Record<number, number> = {};
    for (let n = 0; n < WRONG_KEYS; n++) {
      const status = await audit(`Bearer guess-${n}`);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
    const askedAt = performance.now();
    const right = await audit(authorization);
    const rightMs = performance.now() - askedAt;

    const fates: Record<string, number> = {};
    const clients = Array.from({ length: CLIENTS }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let fate = ""; fate !== "ECONNREFUSED"; ) {
        fate = await fateOf(`${url}/recommend?k=5`, agent, authorization);
        fates[fate] = (fates[fate] ?? 0) + 1;
      }
      agent.destroy();
    });
    await pause(1000);
    const toldAt = performance.now();
    child.kill("SIGTERM");
    await Promise.all(clients);
    while (child.exitCode === null && child.signalCode === null) await pause(5);
    const endedMs = performance.now() - toldAt;
    const { 200: answered = 0, 503: shed = 0, ECONNREFUSED: _late, ...cut } = fates;
    return {
      F17: `${answered} answered, ${shed} shed, cut off: ${Object.keys(cut).length === 0 ? "none" : JSON.stringify(cut)}; ended after ${(endedMs / 1000).toFixed(1)} s with code ${child.exitCode}`,
      F22: `${WRONG_KEYS} wrong keys: ${JSON.stringify(statuses)}; the right one: ${right} in ${rightMs.toFixed(0)} ms`,
    };
  });
}
