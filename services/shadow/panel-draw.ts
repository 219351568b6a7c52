import type { Redis } from "ioredis";
import { EVERYBODY, type PanelDraw } from "../../models/gate/panel-draw.ts";
import { fromStore, toStore } from "../store-errors.ts";

const DRAW_KEY = "shadow:draw";

/** Who is shadowed, as the judge has last said; everybody, where it has said nothing. */
export interface PanelDraws {
  read(): Promise<PanelDraw>;
  write(draw: PanelDraw): Promise<void>;
}

export function redisPanelDraws(redis: Redis): PanelDraws {
  return {
    read: async () => {
      const text = await fromStore("read shadow", redis.get(DRAW_KEY));
      return text === null ? EVERYBODY : (JSON.parse(text) as PanelDraw);
    },
    write: async (draw) => {
      await toStore("record shadow", redis.set(DRAW_KEY, JSON.stringify(draw)));
    },
  };
}
