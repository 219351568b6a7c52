export interface Proof {
  readonly what: string;
  readonly mustHold: string;
  readonly obtained: string;
  readonly ok: boolean;
}

export interface ProofSize {
  readonly runs: number;
  readonly users: number;
  readonly families: number;
  readonly records: number;
}
