import type { Origin } from "../../models/gate/vouching.ts";

/** Which challenger's lists are mixed into the live ones at present, and within which limits. */
export interface OpenInterleaving {
  readonly attemptId: string;
  readonly challenger: string;
  /** The live version that the challenger is compared with; another live version means that this is over. */
  readonly baseline: string;
  /** Share of users who take part, by hash of the user id. */
  readonly share: number;
  /** A challenger's list that takes longer than this counts as failed. */
  readonly budgetMs: number;
  /** Failures in a row after which the challenger is not asked any more. */
  readonly consecutiveFailures: number;
  /** Lists of one user that are judged: a uniform sample of all. */
  readonly listsPerUser: number;
}

/** A list that a user saw, and who gave each item. */
export interface InterleavedList {
  readonly requestId: string;
  readonly userId: string;
  /** Id of the key through which it was asked; absent of lists that an earlier version served. */
  readonly source?: string | undefined;
  /** Entries the user's history held when the list was served. */
  readonly historyThrough: number;
  readonly items: readonly string[];
  /** One letter an item: "c" from the challenger, "b" from the baseline. */
  readonly teams: string;
  /** History of the user at the first list ever, where it may have given way to another. */
  readonly since?: number | undefined;
}

/** A user whose attribution window has closed: never revised. A user without credits does not count. */
export interface CreditedUser {
  readonly userId: string;
  /** Absent of users whom an earlier version entered. */
  readonly origin?: Origin | undefined;
  /** Epoch milliseconds of event time. */
  readonly closedAt: number;
  /** Choices from the lists, by the team that gave them. */
  readonly challenger: number;
  readonly baseline: number;
  /** Length of the history at the user's first interleaved list: the cohort. */
  readonly historyLength: number;
}

/** How a challenger did when it was asked while users waited. */
export interface ServingCounts {
  readonly asked: number;
  readonly failures: number;
  readonly timeouts: number;
}

/** What interleaving leaves behind, in Redis. */
export interface InterleavingLog {
  /** Null when no challenger is interleaved. */
  open(): Promise<OpenInterleaving | null>;
  /** Stands for `forMs`: interleaving whose judge has died ends by itself. */
  setOpen(open: OpenInterleaving | null, forMs: number): Promise<void>;
  /** False when the user's sample holds others, or when a bound was reached; then nothing was kept. */
  remember(attemptId: string, list: InterleavedList, listsPerUser: number): Promise<boolean>;
  lists(attemptId: string): Promise<readonly InterleavedList[]>;
  /** Appends users who are not in yet, in this order, and lets their lists go. */
  enter(attemptId: string, users: readonly CreditedUser[]): Promise<void>;
  /** In the order in which they entered. */
  users(attemptId: string): Promise<readonly CreditedUser[]>;
  /** Absolute counts of one run of one replica, so that reporting them twice counts them once. */
  report(attemptId: string, run: string, counts: ServingCounts): Promise<void>;
  /** Sum over all runs. */
  counts(attemptId: string): Promise<ServingCounts>;
}
