/** What one replica says of the version it serves: its latest window. */
export interface ReplicaReport {
  readonly version: string;
  readonly epoch: number;
  readonly requests: number;
  /** Requests that the live version did not answer. */
  readonly errors: number;
  /** Answers by latency bucket, see `models/gate/fleet.ts`. */
  readonly latency: readonly number[];
}

/** Where replicas say how the live version fares, and whoever judges it reads them all. */
export interface FleetLog {
  /** Replaces what the replica said before; forgotten unless it is said again within seconds. */
  report(replica: string, report: ReplicaReport): Promise<void>;
  /** The latest report of every replica that has reported lately. */
  reports(): Promise<readonly ReplicaReport[]>;
}
