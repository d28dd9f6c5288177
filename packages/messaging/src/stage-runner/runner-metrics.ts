import type { Meter } from "@postrider/runtime";
import { assignmentCounter } from "../assignment-counter.ts";

/** The runner's instruments; all carry the label `stage`. */
export function runnerMetrics(meter: Meter, stage: string) {
  const labels = { stage };
  const counter = (name: string, help: string) => {
    const instrument = meter.counter(name, help, ["stage"]);
    return (by = 1) => instrument.inc(labels, by);
  };
  const gauge = (name: string, help: string) => {
    const instrument = meter.gauge(name, help, ["stage"]);
    return (value: number) => instrument.set(value, labels);
  };
  const lag = meter.gauge(
    "postrider_lag_records",
    "Records of the partition that are not done, as of its last fetch",
    ["stage", "topic", "partition"],
  );
  const rejected = meter.counter(
    "postrider_rejected_total",
    "Records that became dead letters whole, by reason",
    ["stage", "reason"],
  );
  return {
    assignments: assignmentCounter(meter, stage),
    deferrals: counter(
      "postrider_deferrals_total",
      "Records that relief sent to a tier",
    ),
    lostOffsets: counter(
      "postrider_lost_offsets_total",
      "Offsets that the log no longer had when their turn came, or had cut off",
    ),
    decodeFailures: counter(
      "postrider_decode_failures_total",
      "Records whose value could not be read",
    ),
    handlerErrors: counter(
      "postrider_handler_errors_total",
      "Handlers that threw; the record is tried again",
    ),
    handled: counter("postrider_handled_total", "Records that are done"),
    open: gauge("postrider_open_records", "Records seen and not done"),
    openBytes: gauge(
      "postrider_open_bytes",
      "Bytes of the records seen and not done that are in memory",
    ),
    lanes: gauge(
      "postrider_lanes",
      "Lanes in memory: of deliver, endpoints that have records or had some lately",
    ),
    throttledLanes: gauge(
      "postrider_throttled_lanes",
      "Lanes whose rate limit lets no record start now: of deliver, endpoints that are rate-limited",
    ),
    inFlight: gauge("postrider_in_flight", "Handlers at work"),
    queued: gauge("postrider_queued_records", "Records that have not started"),
    commitAge: gauge(
      "postrider_uncommitted_age_seconds",
      "Age of the oldest completion that no acknowledged commit says",
    ),
    schemaWaiting: gauge(
      "postrider_schema_waiting_records",
      "Records whose schema cannot be had yet",
    ),
    rejected: (reason: string) => rejected.inc({ stage, reason }),
    lag: (topic: string, partition: number, records: number) =>
      lag.set(records, { stage, topic, partition: String(partition) }),
  };
}

export type RunnerMetrics = ReturnType<typeof runnerMetrics>;
