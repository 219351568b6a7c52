import { terminalWidth, wrapped } from "../terminal/table.ts";

/** One step of the run: what became of which version, by how many users. */
export interface Step {
  /** Event time, as a day; empty where it is that of the line before. */
  readonly when: string;
  readonly phase: number | null;
  readonly version: string;
  readonly verdict: string;
  readonly users: number | null;
}

const USERS_WIDTH = 5;
/** As long as the longest version of a recipe that comes with Phasewise. */
const VERSION_WIDTH = 27;
const LEFT = 10 + 2 + 1 + 1 + VERSION_WIDTH + 2;

export const STORY_HEAD: string = columns("event time", " ", "phase, version", "verdict".padEnd(30), "users");

/** Columns of a fixed width, since the lines are written one by one, as it happens. */
export function storyLine({ when, phase, version, verdict, users }: Step): string {
  const width = Math.max(terminalWidth(), LEFT + 30) - LEFT - USERS_WIDTH - 2;
  const [first, ...more] = wrapped(verdict, { width }).split("\n");
  const line = columns(when, phase === null ? " " : String(phase), version, first.padEnd(width), users ?? "");
  return [line.trimEnd(), ...more.map((text) => `${" ".repeat(LEFT)}${text}`)].join("\n");
}

function columns(
  when: string,
  phase: string,
  version: string,
  verdict: string,
  users: number | string,
): string {
  const left = `${when.padEnd(10)}  ${phase} ${version.padEnd(VERSION_WIDTH)}  `;
  return `${left}${verdict}${String(users).padStart(USERS_WIDTH + 2)}`;
}
