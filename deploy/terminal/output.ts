/** Options that every verb understands. */
export interface OutputOptions {
  /** One JSON value on standard output and nothing else. */
  readonly json?: boolean;
}

/** Exit codes that scripts can rely on. */
export const EXIT = { ok: 0, failed: 1, usage: 2, conflict: 3, held: 4, unreachable: 5, open: 6 } as const;

export function print(value: unknown, options: OutputOptions, human: () => string): void {
  process.stdout.write(options.json === true ? `${JSON.stringify(value)}\n` : `${human()}\n`);
}
