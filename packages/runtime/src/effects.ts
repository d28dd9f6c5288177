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
}
