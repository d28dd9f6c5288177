/** What a process gives to the parts it is made of: the only shapes of clock, log, meter and lifecycle in the product. */

/** Where time comes from. `now` is epoch milliseconds; `monotonic` never goes back and means nothing outside the process. */
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

/** Makes instruments; asking twice for one name gives the same instrument. Names carry units: `postrider_commit_age_seconds`. */
export interface Meter {
  counter(name: string, help: string, labelNames?: readonly string[]): Counter;
  gauge(name: string, help: string, labelNames?: readonly string[]): Gauge;
  histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames?: readonly string[],
  ): Histogram;
}

/** A thing with resources. Started in order, stopped in reverse; stopping twice is safe. `deadline` is epoch milliseconds. */
export interface Lifecycle {
  start(): Promise<void>;
  stop(deadline: number): Promise<void>;
}

/** One thing that was looked at; `detail` says what was seen, for people. */
export interface Check {
  readonly name: string;
  readonly isOk: boolean;
  readonly detail: string;
}

/** `live` fails only when a restart would help; `ready` also when a dependency is away. Both must return at once. */
export interface Health {
  live(): readonly Check[];
  ready(): readonly Check[];
}

/** What `compose` gets beside its configuration. */
export interface Effects {
  readonly log: Log;
  readonly meter: Meter;
  readonly clock: Clock;
}
