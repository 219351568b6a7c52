import { MultiBar, Presets } from "cli-progress";
import type { Progress } from "../../models/long-work.ts";
import type { JobView } from "../../services/queues/types.ts";

/** Progress for people: on standard error, a line that redraws itself on a terminal, a line a step in a log. */
export interface ProgressLine {
  update(text: string): void;
  done(text: string): void;
  /** Takes the line away, so that something else can be written. */
  clear(): void;
}

/** @param unwatched false: where no terminal shows it, nothing is written until something is done */
export function progressLine(
  write: (text: string) => void = (text) => process.stderr.write(text),
  { unwatched = true } = {},
): ProgressLine {
  const redraw = process.stderr.isTTY === true;
  let last = "";
  let lastAt = 0;
  return {
    update: (text) => {
      if (text === last || !(redraw || unwatched)) return;
      const now = performance.now();
      // A log file gets one line every two seconds at most; a terminal keeps up with the eye.
      if (now - lastAt < (redraw ? 80 : 2000)) return;
      last = text;
      lastAt = now;
      write(redraw ? `\r\x1b[2K${text}` : `${text}\n`);
    },
    done: (text) => {
      write(redraw ? `\r\x1b[2K${text}\n` : `${text}\n`);
    },
    clear: () => {
      if (redraw) write("\r\x1b[2K");
      last = "";
    },
  };
}

/** How far work is, in a line. */
export function describeProgress({ fraction, message }: Progress): string {
  return `${(fraction * 100).toFixed(0).padStart(3)} %  ${message}`;
}

export function describeJob({ name, state, progress }: JobView): string {
  return progress === null ? `${name}: ${state}` : describeProgress(progress);
}

/** The progress of several jobs at once. */
export interface JobProgress {
  /** A job's own row; returns what shows its state there. */
  add(name: string): (job: JobView) => void;
  /** Writes a line above the rows. */
  say(text: string): void;
  stop(): void;
}

/** A bar a job on a terminal, else nothing; `write` gets what is said meanwhile. */
export function jobProgress(write: (line: string) => void): JobProgress {
  return process.stderr.isTTY === true ? bars() : { add: () => () => {}, say: write, stop: () => {} };
}

function bars(): JobProgress {
  const all = new MultiBar(
    {
      format: "  {name} {bar} {percentage} %  {message}",
      hideCursor: true,
      barsize: 24,
      stream: process.stderr,
    },
    Presets.shades_classic,
  );
  return {
    add: (name) => {
      const bar = all.create(100, 0, { name: name.padEnd(21), message: "waiting for a worker" });
      return ({ state, progress }) => {
        if (progress === null) return;
        const width = Math.max(20, (process.stderr.columns ?? 100) - 72);
        const message = state === "completed" ? "done" : progress.message.slice(0, width);
        bar.update(Math.round(progress.fraction * 100), { message });
      };
    },
    say: (text) => all.log(`${text}\n`),
    stop: () => all.stop(),
  };
}
