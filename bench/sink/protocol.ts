/** What harness and sink say to each other. */
export type SinkQuestion = {
  readonly kind: "reset" | "count" | "report";
};

export type SinkAnswer =
  | { readonly kind: "listening"; readonly port: number }
  | SinkCount
  | SinkReport;

export interface SinkCount {
  readonly kind: "count";
  /** Unique webhook-ids since the last reset. */
  readonly unique: number;
  /** Every request, repeats too. */
  readonly requests: number;
}

export interface SinkReport {
  readonly kind: "report";
  readonly unique: number;
  readonly requests: number;
  /** In the order in which they came first. */
  readonly ids: readonly string[];
  /** Beside `ids`: µs of the machine's monotonic clock. */
  readonly seenAtMicros: Float64Array;
  /** Every hundredth request. */
  readonly sample: readonly SampledRequest[];
  /** Every request, in the order of coming; empty unless the sink was told to log. */
  readonly log: readonly LoggedRequest[];
}

export interface LoggedRequest {
  readonly id: string;
  /** The webhook-timestamp. */
  readonly timestamp: string;
  /** The webhook-signature. */
  readonly signature: string;
  /** Its first byte, µs of the machine's monotonic clock. */
  readonly atMicros: number;
  /** Base64url of the body's SHA-256. */
  readonly bodyHash: string;
}

export interface SampledRequest {
  readonly head: string;
  readonly body: Uint8Array;
}
