/** The metrics of an output. */
import type { Meter } from "@postrider/runtime";
import type { OutputEntry } from "./output-queue.ts";

export type OutputMetrics = ReturnType<typeof outputMetrics>;

export function outputMetrics(meter: Meter) {
  const records = meter.counter(
    "postrider_output_records_total",
    "Records acknowledged by the broker",
    ["topic"],
  );
  const batches = meter.counter(
    "postrider_output_batches_total",
    "Batches acknowledged by the broker",
  );
  const failures = meter.counter(
    "postrider_output_failures_total",
    "Batches, or look-ups of topics, that failed and were tried again",
  );
  const tooLarge = meter.counter(
    "postrider_output_too_large_total",
    "Records that were refused for their size and became dead letters",
    ["topic"],
  );
  const unfit = meter.counter(
    "postrider_output_unfit_total",
    "Records whose value does not fit its schema: dead letters, or refused to their sender",
    ["topic"],
  );
  return {
    sent(part: readonly OutputEntry[]): void {
      const byTopic = new Map<string, number>();
      for (const { topic } of part)
        byTopic.set(topic, (byTopic.get(topic) ?? 0) + 1);
      for (const [topic, count] of byTopic) records.inc({ topic }, count);
      batches.inc();
    },
    refused: (topic: string): void => tooLarge.inc({ topic }),
    unfit: (topic: string): void => unfit.inc({ topic }),
    failed: (): void => failures.inc(),
  };
}
