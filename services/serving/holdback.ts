import { type Arm, armOf } from "../../models/gate/holdback.ts";
import type { HeldList, HoldbackLog } from "../holdback/types.ts";

export interface HoldbackDeps {
  readonly log: Pick<HoldbackLog, "remember">;
  /** Share of the users on the floor; 0 keeps nobody there. */
  readonly share: number;
  readonly listsPerUser: number;
  readonly onError: (error: unknown) => void;
}

/** Lists on their way to Redis; while it does not answer, more are let go. */
const MOST_UNDER_WAY = 100;

/** Who stays on the floor, and who is a twin. Replies never wait for what is written down of them. */
export class Holdback {
  readonly #deps: HoldbackDeps;
  #underWay = 0;

  constructor(deps: HoldbackDeps) {
    this.#deps = deps;
  }

  get isOn(): boolean {
    return this.#deps.share > 0;
  }

  /** Null for all who have no part in it. */
  armOf(user: string | null): Arm | null {
    return user === null ? null : armOf(user, this.#deps.share);
  }

  /** After the reply. */
  offer(list: HeldList): void {
    if (this.#underWay >= MOST_UNDER_WAY) return;
    this.#underWay++;
    this.#deps.log
      .remember(list, this.#deps.listsPerUser)
      .catch((error) => this.#deps.onError(error))
      .finally(() => this.#underWay--);
  }
}
