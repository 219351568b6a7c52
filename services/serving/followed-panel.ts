import { EVERYBODY, isDrawn, type PanelDraw } from "../../models/gate/panel-draw.ts";
import type { PanelDraws } from "../shadow/panel-draw.ts";
import { again } from "../waiting.ts";

const FOLLOW_EVERY_MS = 1000;

/** Who is shadowed, as this replica knows it: old news while Redis is away. The worker has the last word. */
export class FollowedPanel {
  readonly #draws: Pick<PanelDraws, "read">;
  readonly #periodMs: number;
  readonly #onError: (error: unknown) => void;
  #draw: PanelDraw = EVERYBODY;
  #following: { close(): void } | undefined;

  constructor(draws: Pick<PanelDraws, "read">, periodMs: number, onError: (error: unknown) => void) {
    this.#draws = draws;
    this.#periodMs = periodMs;
    this.#onError = onError;
  }

  has(user: string, now: number): boolean {
    return isDrawn(this.#draw, user, now, this.#periodMs);
  }

  start(): void {
    this.#following = again(FOLLOW_EVERY_MS, () => this.look(), this.#onError);
  }

  /** @throws STORE_UNAVAILABLE */
  async look(): Promise<void> {
    this.#draw = await this.#draws.read();
  }

  close(): void {
    this.#following?.close();
  }
}
