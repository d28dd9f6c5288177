/** The messages between harness and sink. */
export type SinkQuestion = {
  readonly kind:
    "reset" | "count" | "report" | "shut" | "open" | "refuse" | "accept";
};

/** The unruly sink also changes between well and unruly. */
export type UnrulyQuestion =
  SinkQuestion | { readonly kind: "turn"; readonly isWell: boolean };

export type SinkAnswer =
  | { readonly kind: "listening"; readonly ports: readonly number[] }
  | SinkCount
  | SinkReport;

export interface SinkCount {
  readonly kind: "count";
  /** Unique webhook-ids since the last reset. */
  readonly unique: number;
  /** All requests, including repeats. */
  readonly requests: number;
  /** For how long all answered requests together were under way, ms; 0 if the sink answers at once. */
  readonly underWayMs: number;
}

export interface SinkReport extends Omit<SinkCount, "kind"> {
  readonly kind: "report";
  /** In the order in which they first came. */
  readonly ids: readonly string[];
  /** The time of each of `ids`, in µs of the machine's monotonic clock. */
  readonly seenAtMicros: Float64Array;
  /** Every hundredth request. */
  readonly sample: readonly SampledRequest[];
  /** By path: the most requests that were under way at once; empty if the sink answers at once. */
  readonly mostAtOnce: ReadonlyMap<string, number>;
  /** Every request, in the order in which they came; empty unless the sink was started with `--log`. */
  readonly log: readonly LoggedRequest[];
}

export interface LoggedRequest {
  readonly id: string;
  /** The webhook-timestamp. */
  readonly timestamp: string;
  /** The webhook-signature. */
  readonly signature: string;
  /** When the first byte came, in µs of the machine's monotonic clock. */
  readonly atMicros: number;
  /** Base64url of the body's SHA-256. */
  readonly bodyHash: string;
}

export interface SampledRequest {
  readonly head: string;
  readonly body: Uint8Array;
}
