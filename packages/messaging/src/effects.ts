/** What messaging needs of its process; packages/runtime implements these shapes. */
import type { EpochMs, MonotonicMs } from "@postrider/core";

export interface Clock {
  now(): EpochMs;
  monotonic(): MonotonicMs;
}

/** One wide line per fact: `event` in the past tense (`partition.revoked`), values as fields. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}
export type LogFields = Readonly<Record<string, unknown>>;

export type Labels = Readonly<Record<string, string>>;

/** Makes instruments; asking twice for one name gives the same instrument. Names carry units: `postrider_commit_age_seconds`. */
export interface Meter {
  counter(
    name: string,
    help: string,
    labelNames?: readonly string[],
  ): { inc(labels?: Labels, by?: number): void };
  gauge(
    name: string,
    help: string,
    labelNames?: readonly string[],
  ): { set(value: number, labels?: Labels): void };
  histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames?: readonly string[],
  ): { observe(value: number, labels?: Labels): void };
}

/** A thing with resources. Started in order, stopped in reverse; stopping twice is safe. */
export interface Lifecycle {
  start(): Promise<void>;
  stop(deadline: EpochMs): Promise<void>;
}
