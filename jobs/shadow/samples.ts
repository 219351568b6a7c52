import { groupedBy } from "../../models/data/grouped-by.ts";
import { periodEndOf } from "../../models/evaluation/attribution.ts";
import { entersSample, samplePlace } from "../../models/gate/request-sample.ts";
import type { UserHistory } from "../../services/interactions/types.ts";
import type { ShadowRequest } from "../../services/queues/types.ts";
import { type HeldRequest, markOf } from "../../services/shadow/panel.ts";
import { type Comparison, type ShadowLog, servingRole } from "../../services/shadow/types.ts";

interface SampledRequest extends Pick<HeldRequest, "requestId" | "historyThrough"> {
  /** By hash, so that it is made once. */
  readonly place: number;
  readonly marks: ReadonlySet<string>;
}

export interface SampleLimits {
  readonly requestsPerUser: number;
  /** A user's requests are sampled for this long, milliseconds. */
  readonly periodMs: number;
}

/**
 * The samples of users, as they stand before a batch and as the batch changes them. Each comparison has one of each user:
 * the requests of the period with the smallest places, from its own opening on.
 */
export interface Samples {
  /** The comparisons whose samples the request enters. */
  take(request: ShadowRequest, history: UserHistory | undefined): readonly Comparison[];
  /** Requests held that no sample holds any more. */
  dropped(user: string): readonly string[];
}

export async function readSamples(
  { shadowLog, limits }: { readonly shadowLog: ShadowLog; readonly limits: SampleLimits },
  open: readonly Comparison[],
  users: readonly string[],
): Promise<Samples> {
  const [held, ...entered] = await Promise.all([
    shadowLog.panel.held(users),
    ...open.map(({ id }) => shadowLog.hasEntered(id, users)),
  ]);
  const requests = new Map<string, SampledRequest[]>(
    users.map((user, index) => [
      user,
      held[index].map(({ requestId, historyThrough, marks }) => ({
        requestId,
        historyThrough,
        place: samplePlace(requestId),
        marks: new Set(marks.keys()),
      })),
    ]),
  );
  const hasEntered = (comparison: number, user: string): boolean => entered[comparison][users.indexOf(user)];
  const { requestsPerUser: size, periodMs } = limits;
  const smallest = (own: readonly SampledRequest[]): readonly SampledRequest[] =>
    own.toSorted((a, b) => a.place - b.place).slice(0, size);
  const markOfEach = open.map(({ id }) => markOf(id));

  const wants = (
    request: ShadowRequest,
    place: number,
    history: UserHistory | undefined,
    own: readonly SampledRequest[],
  ) =>
    open.filter((comparison, index) => {
      if (!concerns(request, comparison) || hasEntered(index, request.userId ?? "")) return false;
      const sampled = own.filter(({ marks }) => marks.has(markOfEach[index]));
      const places = smallest(sampled).map((held) => held.place);
      if (entersSample(places, place, size) === null) return false;
      const options = { openedAt: comparison.openedAt, periodMs };
      const periodEnd = periodEndOf(sampled, chosenIn(history), options);
      return periodEnd === null || lastBefore(request, history) <= periodEnd;
    });

  return {
    take: (request, history) => {
      const own = requests.get(request.userId ?? "") ?? [];
      // Held already: a batch that is worked off a second time.
      if (own.some(({ requestId }) => requestId === request.requestId)) return [];
      const { requestId, historyThrough } = request;
      const place = samplePlace(requestId);
      const comparisons = wants(request, place, history, own);
      const marks = new Set(comparisons.map(({ id }) => markOf(id)));
      if (comparisons.length > 0) own.push({ requestId, historyThrough, place, marks });
      return comparisons;
    },
    dropped: (user) => {
      const own = requests.get(user) ?? [];
      const byMark = groupedBy(
        own.flatMap((request) => [...request.marks].map((mark) => ({ mark, request }))),
        ({ mark }) => mark,
      );
      const kept = new Set(
        [...byMark.values()].flatMap((marked) => smallest(marked.map(({ request }) => request))),
      );
      return own.filter((request) => !kept.has(request)).map(({ requestId }) => requestId);
    },
  };
}

/** What the canary answered is its own step's evidence; everything else compares with the live version. */
function concerns({ canary, liveVersion }: ShadowRequest, comparison: Comparison): boolean {
  const ofCanary = comparison.kind === "canary";
  const serving = comparison[servingRole(comparison)];
  return canary === true ? ofCanary && liveVersion === serving.version : !ofCanary;
}

function chosenIn(history: UserHistory | undefined): UserHistory["entries"] {
  return (history?.entries ?? []).filter(({ weight }) => weight > 0);
}

/** When the user had done something last, as of the request. */
function lastBefore({ historyThrough }: ShadowRequest, history: UserHistory | undefined): number {
  const earlier = (history?.entries ?? []).filter(({ sequence }) => sequence <= historyThrough);
  return earlier.reduce((latest, { timestamp }) => Math.max(latest, timestamp), 0);
}
