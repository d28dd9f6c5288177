import { DEAD_LETTER_REASONS, DECISIONS, OUTCOMES } from "@postrider/core";

/** The values of labels that are closed lists. */
export const LABEL_VALUES: Readonly<Record<string, readonly string[]>> = {
  outcome: OUTCOMES,
  decision: DECISIONS,
  connection: ["reused", "fresh"],
  stage: [
    "route",
    // Of every configured source.
    "route:.+",
    "deliver",
    "hold",
    "gone",
  ],
  service: ["ingest", "dispatcher", "retry-scheduler", "recorder", "control"],
  sent_by: ["route", "replay"],
  // Of dead letters, and of deferrals.
  reason: [...DEAD_LETTER_REASONS, "lane_slow", "secret_unavailable"],
};
