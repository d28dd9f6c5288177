/** The roll-ups: what each counts of `attempts`, as its materialized view does (migrations/0003_roll_ups.sql). A test compares the two. */
import type { RollUpTable } from "@postrider/core";

export interface RollUp {
  readonly table: RollUpTable;
  /** The columns that name a bucket, without its time. */
  readonly owner: readonly string[];
  /** Start of the bucket, from the time of an attempt. */
  readonly bucket: string;
  /** Columns that add up, each with what it adds up in a bucket's rows of `attempts AS a`. */
  readonly counts: readonly (readonly [column: string, sql: string])[];
  /** Whether it has the longest attempt of each bucket. */
  readonly hasLongest: boolean;
}

const ATTEMPTS = ["attempts", "count()"] as const;
const DELIVERED = ["delivered", "countIf(outcome = 'delivered')"] as const;
const EXPIRED = ["expired", "countIf(status = 'expired')"] as const;

export const ROLL_UPS: readonly RollUp[] = [
  {
    table: "endpoint_hour",
    owner: ["tenant_id", "endpoint_id"],
    bucket: "toStartOfHour(a.started_at)",
    counts: [
      ATTEMPTS,
      DELIVERED,
      [
        "delivered_first",
        "countIf(outcome = 'delivered' AND attempt_number = 1)",
      ],
      EXPIRED,
      ["request_bytes", "sum(toInt64(a.request_bytes))"],
    ],
    hasLongest: true,
  },
  {
    table: "tenant_minute",
    owner: ["tenant_id"],
    bucket: "toStartOfMinute(a.started_at)",
    counts: [ATTEMPTS, DELIVERED, EXPIRED],
    hasLongest: false,
  },
];

/** The columns of `attempts` from which roll-ups are counted. */
export const COUNTED_COLUMNS: readonly string[] = [
  "tenant_id",
  "endpoint_id",
  "started_at",
  "attempt_number",
  "outcome",
  "status",
  "request_bytes",
  "duration_ms",
];

/** A day of UTC, as `2026-11-27`. */
export type Day = string;

const DAY_MS = 86_400_000;

/** Null if the text is not a day. */
export function parseDay(text: string): Day | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return null;
  const at = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(at) || dayOf(at) !== text ? null : text;
}

/** When the day begins, epoch milliseconds. */
export function startOf(day: Day): number {
  return Date.parse(`${day}T00:00:00Z`);
}

/** When the day ends, epoch milliseconds. */
export function endOf(day: Day): number {
  return startOf(day) + DAY_MS;
}

export function dayOf(at: number): Day {
  return new Date(at).toISOString().slice(0, 10);
}
