import type { EpochMs } from "@postrider/core";

/** `2026-11-23T23:25:03.000Z`. A time beyond the range of a date, which only a garbage record has, is clamped: showing it must not fail. */
export function rfc3339(at: EpochMs): string {
  const LIMIT = 8_640_000_000_000_000;
  return new Date(Math.max(-LIMIT, Math.min(LIMIT, at))).toISOString();
}
