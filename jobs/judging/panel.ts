import { MS_PER_DAY } from "../../models/data/day.ts";
import { isDrawn, nextDraw } from "../../models/gate/panel-draw.ts";
import { markOf } from "../../services/shadow/panel.ts";
import type { JobContext } from "../context.ts";

/** Users whose requests are read in one go. */
const AT_ONCE = 500;

/**
 * Narrows the panel where more users are in it than the policy wants, and lets those go who are out by that: by a hash of
 * their ids, so that nothing that they did decides it. What comparisons had counted of them stays counted.
 */
export async function settlePanel(context: JobContext): Promise<void> {
  const { shadowLog, draws, policy } = context;
  const { panelUsers, panelDays, attributionDays } = policy.shadow;
  const wanted = Math.ceil((panelUsers * panelDays) / attributionDays);
  const periodMs = panelDays * MS_PER_DAY;
  const now = context.now();
  const draw = await draws.read();
  const held = await shadowLog.panel.users();
  if (held.length <= wanted && draw.share >= 1) return;
  const inside = held.filter((user) => isDrawn(draw, user, now, periodMs));
  const next = nextDraw(draw, inside.length, now, { wanted, periodMs });
  if (next === null) return;
  await draws.write(next);
  const leaving = inside.filter((user) => !isDrawn(next, user, now, periodMs));
  await letGo(context, leaving);
  context.log.info({ share: next.share, users: inside.length - leaving.length }, "panel");
}

async function letGo({ shadowLog }: JobContext, users: readonly string[]): Promise<void> {
  const open = [...(await shadowLog.openAttempts()), ...(await shadowLog.openWatches())];
  for (let from = 0; from < users.length; from += AT_ONCE) {
    const some = users.slice(from, from + AT_ONCE);
    const held = await shadowLog.panel.held(some);
    const releases = some.flatMap((user, place) =>
      open.map(({ id }) => {
        const own = held[place].filter(({ marks }) => marks.has(markOf(id)));
        const ids = own.map(({ requestId }) => requestId);
        return ids.length === 0 ? null : shadowLog.panel.release(user, id, ids, { kind: "unheard" });
      }),
    );
    await Promise.all(releases);
  }
}
