/** The effects that a process gives to its parts. These are the only definitions of clock, log, meter and lifecycle in the product. */

/** The source of time. `now` is epoch milliseconds and may jump. `monotonic` is milliseconds that never go back; its values mean nothing in another process. */
export interface Clock {
  now(): number;
  monotonic(): number;
}

/** One wide line per fact: `event` in the past tense (`partition.revoked`), values as fields. Never a body, a secret or a signature. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}
export type LogFields = Readonly<Record<string, unknown>>;

export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  inc(labels?: Labels, by?: number): void;
}
export interface Gauge {
  set(value: number, labels?: Labels): void;
}
export interface Histogram {
  observe(value: number, labels?: Labels): void;
}

/** Makes instruments. Two calls with the same name return the same instrument. Names carry units: `postrider_commit_age_seconds`. */
export interface Meter {
  counter(name: string, help: string, labelNames?: readonly string[]): Counter;
  /** `collect` is called whenever the metrics are read, to set the gauge then. */
  gauge(
    name: string,
    help: string,
    labelNames?: readonly string[],
    collect?: (gauge: Gauge) => void,
  ): Gauge;
  histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames?: readonly string[],
  ): Histogram;
}

/** W3C trace context: which span something belongs to. `traceparent` is null where there is none. */
export interface TraceContext {
  readonly traceparent: string | null;
  readonly tracestate: string | null;
}

/** What is known of a span, by the names of OpenTelemetry's conventions and our own (`postrider.…`). Never a body, a secret or a URL's path. Of a null nothing is kept. */
export type SpanAttributes = Readonly<
  Record<string, string | number | boolean | null>
>;

export interface SpanOptions {
  readonly kind: "server" | "client" | "producer" | "consumer";
  /** The span that caused this one; without a traceparent, a new trace begins. */
  readonly parent: TraceContext;
  /** Traceparents of spans that this one follows from, without being their child. */
  readonly links?: readonly string[];
  readonly attributes: SpanAttributes;
  /** Epoch milliseconds; default: now. */
  readonly startedAt?: number;
}

/** One step of a trace. It is sent away once `end` was called; a span that is dropped without `end` is never seen. */
export interface Span {
  /** For what this span causes. */
  readonly context: TraceContext & { readonly traceparent: string };
  /** Whether the sampler keeps it. What is set on a span that is not kept is lost. */
  readonly isSampled: boolean;
  set(attributes: SpanAttributes): void;
  /** It went wrong. `type` is one of few words (`timeout`, `500`); `message` is for people. */
  fail(type: string, message?: string): void;
  end(): void;
}

/** Makes spans. While `isOn` is false, callers make nothing: no attributes, no context and no span. */
export interface Tracer {
  readonly isOn: boolean;
  /** Only while `isOn`. */
  start(name: string, options: SpanOptions): Span;
}

/** A part that holds resources. Parts are started in order and stopped in reverse; stopping twice is safe. `deadline` is epoch milliseconds. */
export interface Lifecycle {
  start(): Promise<void>;
  stop(deadline: number): Promise<void>;
}

/** The result of one health check; `detail` describes what was found, for people. */
export interface Check {
  readonly name: string;
  readonly isOk: boolean;
  readonly detail: string;
}

/** `live` fails only when a restart would help; `ready` fails also when a dependency is unreachable. Both must return at once, without waiting. */
export interface Health {
  live(): readonly Check[];
  ready(): readonly Check[];
}

/** What `compose` receives besides its configuration. */
export interface Effects {
  readonly log: Log;
  readonly meter: Meter;
  readonly clock: Clock;
  readonly tracer: Tracer;
}
