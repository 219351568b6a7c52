import { connectRedis } from "../../../services/redis.ts";
import { type LoadProcess, type Reply, startLoad } from "../load.ts";
import { quantile } from "../quantile.ts";
import type { Figures } from "./figures.ts";
import { type SmallService, until, withSmallService } from "./small-service.ts";

const CLIENTS = 4;
const SECONDS = 3;

const share = (replies: readonly Reply[]): string =>
  `${((100 * replies.filter(({ status }) => status === 200).length) / replies.length).toFixed(2)} %`;
const p99 = (replies: readonly Reply[]): number =>
  quantile(
    replies.map(({ tookMs }) => tookMs),
    0.99,
  );

/** Events sent one after the other by each of a few clients, for as long as the lists are asked for. */
async function refusals({ feedback }: SmallService, name: string): Promise<string> {
  const answers: { readonly status: number; readonly tookMs: number }[] = [];
  const endsAt = performance.now() + SECONDS * 1000;
  const client = async (_: unknown, n: number): Promise<void> => {
    for (let sent = 0; performance.now() < endsAt; sent++)
      answers.push(await feedback(`${name}-${n}-${sent}`));
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  const statuses = [...new Set(answers.map(({ status }) => status))].join(" and ");
  const tookMs = answers.map((answer) => answer.tookMs);
  return `/feedback ${statuses}, p99 ${quantile(tookMs, 0.99).toFixed(0)} ms, most ${Math.max(...tookMs).toFixed(0)} ms of ${answers.length}`;
}

async function lists(load: LoadProcess, normal: number): Promise<string> {
  const replies = (await load.closed(CLIENTS, SECONDS)).toSorted((a, b) => a.dueMs - b.dueMs);
  const [first, rest] = [replies.slice(0, CLIENTS), replies.slice(CLIENTS)];
  const most = Math.max(...first.map(({ tookMs }) => tookMs));
  return `/recommend ${share(replies)} 200, first request of each connection at most ${most.toFixed(0)} ms, the rest p99 ${p99(rest).toFixed(1)} ms (${normal.toFixed(1)} before)`;
}

/** F1, and F3 on the same service. */
export function redisAway(): Promise<Figures> {
  return withSmallService(async (small) => {
    const { service, api, users, authorization, feedback } = small;
    const load = startLoad({ url: api.url, authorization, users });
    await load.closed(CLIENTS, 2);
    const normal = p99(await load.closed(CLIENTS, SECONDS));
    const away = async (what: string): Promise<string> => {
      const both = await Promise.all([lists(load, normal), refusals(small, what)]);
      return `${what}: ${both.join("; ")}`;
    };
    service.redis.pause();
    const paused = await away("paused");
    service.redis.resume();
    await until(async () => (await feedback(`resumed-${performance.now()}`)).status === 202);
    await service.redis.kill();
    const killed = await away("killed");
    await service.redis.restart();
    await until(async () => (await feedback(`restarted-${performance.now()}`)).status === 202);

    const redis = connectRedis(service.config, "patient", () => {});
    await redis.config("SET", "maxmemory", "1");
    redis.disconnect();
    const full = await Promise.all([load.closed(CLIENTS, SECONDS), refusals(small, "full")]);
    const askedAt = performance.now();
    const rollback = await fetch(`${api.url}/rollback`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization },
      body: JSON.stringify({ reason: "a bench", to: "floor" }),
    });
    const tookMs = (performance.now() - askedAt).toFixed(0);
    load.stop();
    return {
      F1: `${paused}. ${killed}`,
      F3: `/recommend ${share(full[0])} 200; ${full[1]}; /rollback ${rollback.status} in ${tookMs} ms`,
    };
  });
}
