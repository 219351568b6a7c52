/** Figures as people read them: 1,234 events, 2018-05-01, 12.3 %. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** The day (UTC) of a time in epoch milliseconds. */
export function day(timestamp: number): string {
  return new Date(timestamp).toISOString().slice(0, 10);
}

export function percentOf(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)} %`;
}
