import type { DecisionSummary } from "../../services/registry/decision-summary.ts";
import type { AuditEntry } from "../../services/registry/types.ts";
import type { Ladder } from "../../services/serving/routes/ladder.ts";
import type { LiveView } from "../../services/serving/routes/promotion.ts";
import type { Decisions } from "../../services/serving/routes/records.ts";
import { retry } from "../../services/waiting.ts";
import type { ApiClient } from "../client/api-client.ts";
import { day } from "../terminal/figures.ts";
import { wrapped } from "../terminal/table.ts";
import { type Step, storyLine } from "./story-line.ts";
import { gistOf, gistOfMove, recipeOf, usersOf } from "./verdict-gist.ts";

export interface StoryOptions {
  readonly say: (text: string) => void;
  /** Event time that the run has reached, epoch milliseconds. */
  readonly now: () => number;
  /** Whether the live recipe is trained again and again: then only what comes of it is told. */
  readonly isSchedule: boolean;
  /** Each decision with its whole sentence. */
  readonly details: boolean;
}

export interface Story {
  /** Tells what has happened since. */
  catchUp(): Promise<void>;
  stop(): Promise<void>;
}

const POLL_MS = 1000;
/** A slow Redis is asked again, for some seconds. */
const pauseMs = (attempt: number): number | null => (attempt < 20 ? 300 : null);

/** Tells the run as it happens, a line a step: who was screened, who passed, who became live, who was rejected. */
export async function tellStory(api: ApiClient, options: StoryOptions): Promise<Story> {
  const decisions = new Map<string, DecisionSummary>();
  const moves = new Set<number>();
  /** Passes whose promotion may follow in the next moment: then the promotion tells of both. */
  const passed = new Map<string, number>();
  const phases = new Map<string, number>();
  let toldDay = "";

  const phaseOf = async (version: string): Promise<number | null> => {
    if (!phases.has(version)) {
      const ladder = await api.get<Ladder>("/ladder");
      for (const { phase, versions } of ladder.phases)
        for (const own of versions) phases.set(own.version, phase);
    }
    return phases.get(version) ?? null;
  };
  const tell = async (version: string, verdict: string, users: number | null, sentence?: string) => {
    const today = day(options.now());
    const step: Step = {
      when: today === toldDay ? "" : today,
      phase: await phaseOf(version),
      version,
      verdict,
      users,
    };
    toldDay = today;
    options.say(storyLine(step));
    if (options.details && sentence !== undefined) options.say(wrapped(sentence, { indent: "    " }));
  };
  const recipes = new Set<string>();
  const tellDecision = async (decision: DecisionSummary): Promise<void> => {
    const recipe = recipeOf(decision.challenger);
    const isRefresh = recipes.has(recipe);
    recipes.add(recipe);
    const isScreen = decision.about === "screen" && decision.ruling.verdict !== "reject";
    if (options.isSchedule && isRefresh && isScreen) return;
    await tell(decision.challenger, gistOf(decision), usersOf(decision), decision.sentence);
  };
  const tellMove = (move: AuditEntry) => {
    const decision = decisions.get(move.decisionId ?? "");
    const users = decision === undefined ? null : usersOf(decision);
    recipes.add(recipeOf(move.version));
    return tell(move.version, gistOfMove(move, decision), users, move.reason);
  };

  let looking: Promise<void> = Promise.resolve();
  const look = async (last: boolean): Promise<void> => {
    const { decisions: latest } = await api.get<Decisions>("/decisions?limit=50");
    const { history } = await api.get<LiveView>("/live");
    for (const decision of [...latest].reverse()) {
      if (decisions.has(decision.id)) continue;
      decisions.set(decision.id, decision);
      if (decision.about === "shadow" && decision.ruling.verdict === "pass") passed.set(decision.id, 0);
      else await tellDecision(decision);
    }
    for (const move of history) {
      if (moves.has(move.sequence)) continue;
      moves.add(move.sequence);
      passed.delete(move.decisionId ?? "");
      await tellMove(move);
    }
    for (const [id, looks] of passed) {
      if (looks === 0 && !last) passed.set(id, 1);
      else {
        passed.delete(id);
        const decision = decisions.get(id);
        if (decision !== undefined) await tellDecision(decision);
      }
    }
  };
  const next = (last: boolean): Promise<void> => {
    looking = looking.catch(() => {}).then(() => look(last));
    return looking;
  };
  // What an earlier start has told is not told again.
  const { decisions: before } = await retry(() => api.get<Decisions>("/decisions?limit=1000"), pauseMs);
  for (const decision of before) decisions.set(decision.id, decision);
  const { history: earlier } = await retry(() => api.get<LiveView>("/live"), pauseMs);
  for (const { sequence } of earlier) moves.add(sequence);
  // A poll that fails is made up for by the next one. Nobody waits for the polls, so they keep no process running.
  const timer = setInterval(() => void next(false).catch(() => {}), POLL_MS).unref();
  return {
    catchUp: () => retry(() => next(false), pauseMs),
    stop: async () => {
      clearInterval(timer);
      await retry(() => next(true), pauseMs);
    },
  };
}
