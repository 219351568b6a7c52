/** What was measured of each fault, by its number in deploy/FAULTS.md. */
export type Figures = Readonly<Record<string, string>>;
