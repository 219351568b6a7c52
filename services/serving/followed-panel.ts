import { EVERYBODY, isDrawn, type PanelDraw } from "../../models/gate/panel-draw.ts";
import type { PanelDraws } from "../shadow/panel-draw.ts";

const FOLLOW_EVERY_MS = 1000;

/** Who is shadowed, as this replica knows it: old news while Redis is away. The worker has the last word. */
export class FollowedPanel {
  readonly #draws: Pick<PanelDraws, "read">;
  readonly #periodMs: number;
  readonly #onError: (error: unknown) => void;
  #draw: PanelDraw = EVERYBODY;
  #timer: NodeJS.Timeout | undefined;

  constructor(draws: Pick<PanelDraws, "read">, periodMs: number, onError: (error: unknown) => void) {
    this.#draws = draws;
    this.#periodMs = periodMs;
    this.#onError = onError;
  }

  has(user: string, now: number): boolean {
    return isDrawn(this.#draw, user, now, this.#periodMs);
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), FOLLOW_EVERY_MS).unref();
    void this.look();
  }

  /** Never rejects. */
  async look(): Promise<void> {
    try {
      this.#draw = await this.#draws.read();
    } catch (error) {
      this.#onError(error);
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
