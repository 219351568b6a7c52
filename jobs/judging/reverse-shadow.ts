import { figuresOf, planFigure } from "../../models/gate/capped-figure.ts";
import type { UserDifference, VersionFacts } from "../../models/gate/evidence.ts";
import { policySha256 } from "../../models/gate/policy.ts";
import { goesOnUnder, testSha256 } from "../../models/gate/test-numbers.ts";
import { openingTime } from "../../services/interactions/event-clocks.ts";
import type { LivePointer } from "../../services/registry/types.ts";
import type { JudgedUser, Watch } from "../../services/shadow/types.ts";
import type { JobContext } from "../context.ts";
import { plannedVariance, screenEvidence, upperBoundOf, WIDEST_VARIANCE } from "./screen.ts";

type Wanted = Pick<Watch, "kind" | "epoch"> & { readonly older: string; readonly newer: string };

/**
 * Reverse shadows: a newer version serves, and an older one answers the same requests in the shadow. What is to be
 * watched follows from the live pointer alone, so that a promotion that was forced, or made while no worker ran, is
 * watched all the same. Opens what the pointer asks for, once an epoch, and closes what it has moved away from.
 */
export async function settleWatches(context: JobContext): Promise<void> {
  const live = await context.registry.live();
  const policy = policySha256(context.policy);
  const wanted = live === null ? [] : wantedBy(live);
  const isWanted = ({ kind, epoch }: Watch): boolean =>
    wanted.some((other) => other.kind === kind && other.epoch === epoch);
  const left = (await context.shadowLog.openWatches()).filter(
    (watch) => !isWanted(watch) || !goesOnUnder(watch, context.policy),
  );
  for (const next of wanted) {
    const first = `${next.older}~${next.newer}~${next.kind}-${next.epoch}`;
    const policyChanged = left.some(({ kind, epoch }) => kind === next.kind && epoch === next.epoch);
    if (policyChanged) await open(context, next, `${first}-${policy.slice(0, 8)}`);
    else if (!(await context.shadowLog.wasOpened(first))) await open(context, next, first);
  }
  for (const { id } of left) await context.shadowLog.close(id);
}

function wantedBy(live: LivePointer): Wanted[] {
  const { version, previous, byRollback, floor, epoch, liveEpoch, canary } = live;
  const wanted: Wanted[] = [];
  // What a rollback returned to was proven, or watched, when it was promoted.
  if (previous !== null && version !== floor && !byRollback)
    wanted.push({ kind: "watch", epoch: liveEpoch, older: previous, newer: version });
  // Nothing but a step of the canary moves the epoch while it runs.
  if (canary !== null) wanted.push({ kind: "canary", epoch, older: version, newer: canary.version });
  return wanted;
}

async function open(context: JobContext, { kind, epoch, older, newer }: Wanted, id: string): Promise<void> {
  const factsOf = async (version: string): Promise<VersionFacts> => {
    const { phase, recipe } = (await context.artifacts.manifest(version)).manifest;
    return { version, phase, recipe };
  };
  const screened = await screenEvidence(context, newer, older);
  await context.shadowLog.open({
    id,
    kind,
    epoch,
    challenger: await factsOf(newer),
    baseline: await factsOf(older),
    variance: screened === null ? WIDEST_VARIANCE : plannedVariance(screened.users),
    // What is to be proven is that the older version is better: it stands where a challenger would.
    figure: planFigure(
      figuresOf(screened?.users ?? []).map(({ challenger, baseline }) => ({
        challenger: baseline,
        baseline: challenger,
      })),
    ),
    olderUpperBound:
      screened === null ? undefined : upperBoundOf(screened, ({ baseline }) => baseline, context),
    ...(screened?.kind === "DOWN_RUNG" &&
      kind === "watch" && { toleratedLoss: context.policy.margins.refresh * screened.baselineMean }),
    policySha256: policySha256(context.policy),
    testSha256: testSha256(context.policy),
    openedAt: openingTime(await context.events.clocks()),
    startedAt: context.isoNow(),
  });
  context.log.info({ version: newer, beside: older, kind }, "watching");
}

/** What each judged user loses by the newer version: older − newer nDCG@k, and the newer's. */
export function lossesOf(users: readonly JudgedUser[]): UserDifference[] {
  return users.map(({ userId: user, challenger, baseline }) => ({
    user,
    difference: baseline - challenger,
    baseline: challenger,
  }));
}
