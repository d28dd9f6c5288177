/** What deliver counts. */
import type { Meter } from "@postrider/messaging";
import type { AttemptResult } from "./exchange.ts";

const SECONDS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60,
];

export interface DeliverMetrics {
  attempted(result: AttemptResult, queueMs: number): void;
  readonly deferrals: ReturnType<Meter["counter"]>;
  readonly deadLetters: ReturnType<Meter["counter"]>;
  readonly duplicates: ReturnType<Meter["counter"]>;
  readonly localFaults: ReturnType<Meter["counter"]>;
}

export function deliverMetrics(meter: Meter): DeliverMetrics {
  const attempts = meter.counter(
    "postrider_attempts_total",
    "Attempts by outcome.",
    ["outcome", "connection"],
  );
  const duration = meter.histogram(
    "postrider_attempt_duration_seconds",
    "From start to decision of an attempt.",
    SECONDS,
  );
  const queue = meter.histogram(
    "postrider_attempt_queue_seconds",
    "From due to started.",
    SECONDS,
  );
  return {
    attempted({ outcome, isReused, durationMs }, queueMs) {
      attempts.inc({ outcome, connection: isReused ? "reused" : "fresh" });
      duration.observe(durationMs / 1_000);
      queue.observe(queueMs / 1_000);
    },
    deferrals: meter.counter(
      "postrider_deferrals_total",
      "Deliveries that wait in a tier without having spent an attempt.",
      ["reason"],
    ),
    deadLetters: meter.counter(
      "postrider_dead_letters_total",
      "Deliveries given up.",
      ["reason"],
    ),
    duplicates: meter.counter(
      "postrider_duplicates_dropped_total",
      "Records whose (deliveryId, step) had been taken.",
    ),
    localFaults: meter.counter(
      "postrider_local_faults_total",
      "Attempts not started because this process had no socket or port left. Alert on any.",
    ),
  };
}
