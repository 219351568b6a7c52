import { type ItemId, itemId } from "../../models/data/ids.ts";
import { diversity } from "../../models/evaluation/diversity.ts";
import { mean } from "../../models/evaluation/moments.ts";
import { novelty } from "../../models/evaluation/novelty.ts";
import { sampleOf } from "../../models/gate/request-sample.ts";
import type { HeldRequest } from "../../services/shadow/panel.ts";
import type { ComparedVersions, ShownByOne, ShownLists } from "../../services/shadow/types.ts";
import type { JobContext } from "../context.ts";

/** What remains of lists for coverage, novelty and diversity, once the lists themselves are let go. */
export interface Shows {
  /** What both showed a user over the requests of the sample. */
  shown(
    comparison: Pick<ComparedVersions, "challenger" | "baseline">,
    userId: string,
    requests: readonly HeldRequest[],
  ): ShownLists;
  /** Mean diversity of what was chosen; one thing chosen is neither varied nor alike. */
  diversityOf(chosen: readonly (readonly ItemId[])[]): number | undefined;
}

export async function showsFor(
  context: Pick<JobContext, "catalogue" | "itemInformation" | "policy">,
): Promise<Shows> {
  const [catalogue, information] = await Promise.all([context.catalogue(), context.itemInformation()]);
  const { requestsPerUser } = context.policy.shadow;
  const byOne = (lists: readonly (readonly ItemId[])[]): ShownByOne => ({
    items: [...new Set(lists.flat())],
    novelty: mean(lists.map((list) => novelty(list, information))),
    diversity: mean(lists.map((list) => diversity(list, catalogue))),
  });
  return {
    shown: ({ challenger, baseline }, userId, requests) => {
      const asked = sampleOf(requests, requestsPerUser);
      const listsOf = (version: string) => asked.map(({ lists }) => (lists[version] ?? []).map(itemId));
      return {
        userId,
        challenger: byOne(listsOf(challenger.version)),
        baseline: byOne(listsOf(baseline.version)),
      };
    },
    diversityOf: (chosen) => {
      const several = chosen.filter(({ length }) => length > 1);
      return several.length === 0 ? undefined : mean(several.map((items) => diversity(items, catalogue)));
    },
  };
}
