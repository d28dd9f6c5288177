/** All metrics and log lines of deliver, one method for each fact. */
import type { DeadLetterReason, Delivery } from "@postrider/core";
import type { Log, Meter } from "@postrider/runtime";
import type { DeferralReason } from "./admit.ts";
import type { BreakerChange } from "../breaker/breaker.ts";
import type { BreakerCounts } from "../breaker/endpoint-breakers.ts";
import type { AttemptResult } from "../send/attempt-result.ts";
import type { Conclusion } from "./conclude.ts";

const SECONDS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60,
];

/** From a few milliseconds to the last attempt of a registered endpoint, two and a half days after the first. */
const SUCCESS_SECONDS = [
  0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 21_600,
  86_400, 259_200,
];

export interface DeliverReport {
  attempted(
    delivery: Delivery,
    result: AttemptResult,
    conclusion: Conclusion,
  ): void;
  deadLettered(delivery: Delivery, reason: DeadLetterReason): void;
  deferred(reason: DeferralReason): void;
  duplicateDropped(): void;
  /** Steps were forgotten early, because memory for them is used up. */
  stepsForgotten(steps: number): void;
  localFault(errorCode: string): void;
  breakerChanged(
    delivery: Delivery,
    change: BreakerChange,
    result: AttemptResult,
  ): void;
}

/** `breakers` is asked whenever the metrics are read. */
export function deliverReport(
  log: Log,
  meter: Meter,
  breakers: () => BreakerCounts,
): DeliverReport {
  const metrics = deliverMetrics(meter);
  meter.gauge(
    "postrider_breakers",
    "Endpoints whose circuit breaker is not closed, by its state. One that gets no deliveries here any more, also because another process owns it now, counts for another 15 minutes.",
    ["state"],
    (gauge) => {
      const { open, half_open } = breakers();
      gauge.set(open, { state: "open" });
      gauge.set(half_open, { state: "half_open" });
    },
  );
  return {
    attempted(delivery, result, conclusion) {
      const { disposition, queueMs, sinceReceivedMs, cameFrom } = conclusion;
      const { outcome, isReused, durationMs } = result;
      metrics.attempts.inc({
        outcome,
        connection: isReused ? "reused" : "fresh",
        tier: isReplayed(delivery) && cameFrom === "none" ? "replay" : cameFrom,
      });
      metrics.duration.observe(durationMs / 1_000);
      metrics.queue.observe(queueMs / 1_000);
      if (outcome === "delivered" && !isReplayed(delivery))
        metrics.success.observe(sinceReceivedMs / 1_000);
      log.debug("delivery.attempted", {
        eventId: delivery.eventId,
        deliveryId: delivery.deliveryId,
        endpointId: delivery.endpointId,
        attemptNumber: delivery.attemptNumber,
        outcome,
        statusCode: result.statusCode,
        errorCode: result.errorCode,
        durationMs: Math.round(durationMs),
        disposition: disposition.kind,
      });
    },
    deadLettered(delivery, reason) {
      const { deliveryId, endpointId, attemptNumber } = delivery;
      const sentBy = isReplayed(delivery) ? "replay" : "route";
      metrics.deadLetters.inc({ reason, sent_by: sentBy });
      const fields = { deliveryId, endpointId, attemptNumber, reason };
      log.info("delivery.deadLettered", fields);
    },
    deferred: (reason) => metrics.deferrals.inc({ reason }),
    duplicateDropped: () => metrics.duplicates.inc(),
    stepsForgotten(steps) {
      metrics.stepsForgotten.inc({}, steps);
      log.warn("steps.forgottenEarly", { steps });
    },
    localFault(errorCode) {
      metrics.localFaults.inc();
      log.error("sender.exhausted", { errorCode });
    },
    breakerChanged({ endpointId, tenantId, deliveryId }, change, result) {
      const { kind } = change;
      metrics.breakerChanges[kind].inc();
      const on = { endpointId, tenantId, deliveryId };
      if (kind === "closed") return log.info("breaker.closed", on);
      const { outcome, statusCode } = result;
      const { why, openMs } = change;
      const fields = { ...on, reason: why, openMs, outcome, statusCode };
      if (kind === "opened") log.warn("breaker.opened", fields);
      else log.info("breaker.reopened", fields);
    },
  };
}

/**
 * Late by nature, its retries, too: its event is from before. So the metrics of service levels leave it out, as the saved queries do:
 * docs/sql/slo.md, "Replays".
 */
function isReplayed({ replayId }: Delivery): boolean {
  return replayId !== null;
}

function deliverMetrics(meter: Meter) {
  return {
    attempts: meter.counter(
      "postrider_attempts_total",
      "Attempts by outcome, by whether the connection had served before, and by the tier in which the delivery waited before: `none` if it did not wait, `replay` if it did not and a replay sent it.",
      ["outcome", "connection", "tier"],
    ),
    duration: meter.histogram(
      "postrider_attempt_duration_seconds",
      "From start to decision of an attempt.",
      SECONDS,
    ),
    queue: meter.histogram(
      "postrider_attempt_queue_seconds",
      "From due to started.",
      SECONDS,
    ),
    success: meter.histogram(
      "postrider_event_to_success_seconds",
      "From an event's acceptance to the success of a delivery, all waits and retries included. What a replay sent is left out.",
      SUCCESS_SECONDS,
    ),
    deferrals: meter.counter(
      "postrider_deliveries_deferred_total",
      "Deliveries that wait in a tier without having spent an attempt.",
      ["reason"],
    ),
    deadLetters: meter.counter(
      "postrider_dead_letters_total",
      "Deliveries given up, or parked (`paused`), by reason and by what had sent them: `route`, or a `replay`.",
      ["reason", "sent_by"],
    ),
    duplicates: meter.counter(
      "postrider_duplicates_dropped_total",
      "Records whose (deliveryId, step) had been taken.",
    ),
    stepsForgotten: meter.counter(
      "postrider_steps_forgotten_early_total",
      "Taken (deliveryId, step) pairs that were forgotten before their time, because more are not kept in memory. Alert on any: this process reads more than it can compare, and a repeat could be delivered again.",
    ),
    localFaults: meter.counter(
      "postrider_local_faults_total",
      "Attempts not started because this process had no socket or port left. Alert on any.",
    ),
    breakerChanges: {
      opened: meter.counter(
        "postrider_breakers_opened_total",
        "Circuit breakers that opened because their endpoint failed.",
      ),
      reopened: meter.counter(
        "postrider_breakers_reopened_total",
        "Circuit breakers that opened again, because a probe failed.",
      ),
      closed: meter.counter(
        "postrider_breakers_closed_total",
        "Circuit breakers that closed, because every probe was answered.",
      ),
    },
  };
}
