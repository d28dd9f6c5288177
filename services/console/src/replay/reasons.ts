/** Why deliveries are given up, or parked. Declared a second time, as the answers are (api/answers.ts); tests/console-answers.test.ts holds them against the vocabulary. */
export const REASONS = [
  "exhausted",
  "expired",
  "gone",
  "endpoint_disabled",
  "endpoint_deleted",
  "paused",
  "blocked",
  "unreadable",
  "invalid",
  "unknown_schema",
  "too_large",
  "row_refused",
] as const;
