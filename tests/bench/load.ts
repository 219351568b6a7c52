import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Whom to ask /recommend, and for how many users in turn: u0, u1 … unless they are called otherwise. */
export interface Load {
  readonly url: string;
  readonly authorization: string;
  readonly users: number;
  readonly called?: string;
}

export type LoadOrder = { readonly load: Load; readonly seconds: number } & (
  | { readonly kind: "open"; readonly perSecond: number }
  | { readonly kind: "closed"; readonly clients: number }
);

export interface Reply {
  /** Milliseconds of this order at which it was due, and at which it was sent. */
  readonly dueMs: number;
  readonly sentMs: number;
  /** From due to the last byte: what waited for its turn in the client waited too. */
  readonly tookMs: number;
  /** 0 for none: the connection ended. */
  readonly status: number;
  readonly retryAfter: boolean;
}

export interface LoadProcess {
  /** Clients that do not wait for each other, as on the internet. */
  open(perSecond: number, seconds: number): Promise<Reply[]>;
  /** Clients each of which waits for its answer. */
  closed(clients: number, seconds: number): Promise<Reply[]>;
  stop(): void;
}

export function startLoad(load: Load): LoadProcess {
  const child = fork(fileURLToPath(new URL("./load-generator.js", import.meta.url)), {
    serialization: "advanced",
  });
  const run = async (order: LoadOrder): Promise<Reply[]> => {
    child.send(order);
    const [replies] = (await once(child, "message")) as [Reply[]];
    return replies;
  };
  return {
    open: (perSecond, seconds) => run({ kind: "open", load, seconds, perSecond }),
    closed: (clients, seconds) => run({ kind: "closed", load, seconds, clients }),
    stop: () => child.disconnect(),
  };
}
