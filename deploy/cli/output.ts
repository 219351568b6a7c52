import Table from "cli-table3";

/** Options that every verb understands. */
export interface OutputOptions {
  /** One JSON value on standard output and nothing else. */
  readonly json?: boolean;
}

/** Exit codes that scripts can rely on. */
export const EXIT = { ok: 0, failed: 1, usage: 2, conflict: 3, held: 4, unreachable: 5 } as const;

export function print(value: unknown, options: OutputOptions, human: () => string): void {
  process.stdout.write(options.json === true ? `${JSON.stringify(value)}\n` : `${human()}\n`);
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const drawn = new Table({ head: [...head], style: { head: [], border: [] }, wordWrap: true });
  for (const row of rows) drawn.push([...row]);
  return drawn.toString();
}

/** Progress for people: on standard error, a line that redraws itself on a terminal, a line a step in a log. */
export function progressLine(write: (text: string) => void = (text) => process.stderr.write(text)): {
  update(text: string): void;
  done(text: string): void;
} {
  const redraw = process.stderr.isTTY === true;
  let last = "";
  let lastAt = 0;
  return {
    update: (text) => {
      if (text === last) return;
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
  };
}
