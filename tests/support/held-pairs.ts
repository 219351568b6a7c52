import { markOf } from "../../services/shadow/panel.ts";
import type { Attempt, ShadowLog, Watch } from "../../services/shadow/types.ts";

/** A request that a comparison holds, with the lists of its two. */
export interface HeldPair {
  readonly requestId: string;
  readonly userId: string;
  readonly challenger: readonly string[] | null;
  readonly baseline: readonly string[] | null;
}

/** What a comparison holds now: the requests of users whose windows are open. */
export async function heldPairs(
  { panel }: Pick<ShadowLog, "panel">,
  { id, challenger, baseline }: Attempt | Watch,
): Promise<HeldPair[]> {
  const users = await panel.users();
  const held = await panel.held(users);
  return users.flatMap((userId, place) =>
    held[place]
      .filter(({ marks }) => marks.has(markOf(id)))
      .map(({ requestId, lists }) => ({
        requestId,
        userId,
        challenger: lists[challenger.version],
        baseline: lists[baseline.version],
      })),
  );
}

/** How many requests it ever recorded. */
export async function askedIn({ counts }: Pick<ShadowLog, "counts">, id: string): Promise<number> {
  return (await counts(id)).asked ?? 0;
}
