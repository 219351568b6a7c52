import Type, { type Static } from "typebox";
import type { FigurePlan } from "../../models/gate/capped-figure.ts";
import type { Arm, HeldUser } from "../../models/gate/holdback.ts";

/** A list that was served to a user of either arm. */
export interface HeldList {
  readonly requestId: string;
  readonly userId: string;
  readonly arm: Arm;
  /** Entries the user's history held when the list was served. */
  readonly historyThrough: number;
  readonly k: number;
  readonly items: readonly string[];
}

/** The round that runs: when it began on the clock of the events, and what its test was told then. */
export interface OpenRound {
  readonly round: number;
  readonly from: number;
  readonly figure: FigurePlan;
}

export const HoldbackStatus = Type.Object({
  round: Type.Integer({ description: "from 1; a user counts once a round" }),
  from: Type.String({ description: "ISO 8601, on the clock of the events" }),
  share: Type.Number({ description: "of the users, on the floor; as many others are their twins" }),
  pairs: Type.Integer(),
  lift: Type.Number({ description: "of all promotions together, in nDCG" }),
  lowerBound: Type.Number({ description: "anytime-valid" }),
  upperBound: Type.Number({
    description: "anytime-valid; below 0 it says that all promotions together do harm",
  }),
  alpha: Type.Number(),
  found: Type.Enum(["gain", "harm", "open"], { type: "string" }),
  sentence: Type.String(),
});
export type HoldbackStatus = Readonly<Static<typeof HoldbackStatus>>;

/** What the holdback leaves behind, in Redis. */
export interface HoldbackLog {
  /** Keeps a uniform sample of `size` lists of each user who has not been counted in this round. */
  remember(list: HeldList, size: number): Promise<void>;
  /** Lists of everybody who waits. */
  waiting(): Promise<ReadonlyMap<string, readonly HeldList[]>>;
  round(): Promise<OpenRound | null>;
  /** Begins a round: everybody may be counted again, and who did not come back is forgotten. */
  begin(round: OpenRound): Promise<void>;
  /** Counts users, once each however often they are sent, and forgets their lists; the rows do not name them. */
  enter(users: readonly (HeldUser & { readonly userId: string })[]): Promise<void>;
  /** In the order in which they entered. */
  users(): Promise<readonly HeldUser[]>;
  put(status: HoldbackStatus): Promise<void>;
  status(): Promise<HoldbackStatus | null>;
}
