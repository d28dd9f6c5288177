/** The log lines and metrics of a batch runner. */
import { rangeIn } from "./intent-metadata.ts";
import type { Intent } from "./intent-metadata.ts";
import type { BatchFact, Place } from "./partition-host.ts";
import type { RefusedEntry } from "./batch-entry.ts";
import type { StartFault } from "./batch-start.ts";
import type { InsertResult } from "./batch-target.ts";
import type { Clock, Log, Meter } from "@postrider/runtime";
import { assignmentCounter } from "../assignment-counter.ts";
import type { FetchedBatch, TopicPartition } from "../ports.ts";

const INSERT_BUCKETS_SECONDS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60,
];

export function createBatchReporter(options: {
  readonly name: string;
  readonly target: { readonly table: string };
  readonly log: Log;
  readonly meter: Meter;
  readonly clock: Clock;
}) {
  const { log, meter, clock } = options;
  const { table } = options.target;
  const assignments = assignmentCounter(meter, options.name);
  const rows = meter.counter(
    "postrider_recorded_rows_total",
    "Rows in acknowledged inserts",
    ["table"],
  );
  const mended = meter.counter(
    "postrider_mended_rows_total",
    "Rows put back that the table had lost while it noted them as inserted",
    ["table"],
  );
  const refusals = meter.counter(
    "postrider_refused_records_total",
    "Records that made no row of their own",
    ["table", "reason"],
  );
  const failures = meter.counter(
    "postrider_insert_failures_total",
    "Inserts that have to be tried again",
    ["table"],
  );
  const lost = meter.counter(
    "postrider_lost_records_total",
    "Offsets that the log lost before they were recorded",
    ["topic"],
  );
  const lags = meter.gauge(
    "postrider_record_lag_records",
    "From the first record not in the table to the end of the log",
    ["topic", "partition"],
  );
  const seconds = meter.histogram(
    "postrider_insert_seconds",
    "Time of an insert, whatever its end",
    INSERT_BUCKETS_SECONDS,
    ["table"],
  );

  function fault(place: Place, found: StartFault): void {
    if (found.kind === "below_start")
      lost.inc({ topic: place.topic }, found.lost);
    const { intent, ...rest } = { intent: null, ...found };
    log.error(`offset.${EVENT_OF_FAULT[found.kind]}`, {
      ...place,
      ...rest,
      ...intentFields(place, intent),
    });
  }

  /** Where the log of each partition ended at its last fetch. While the runner is idle that is the end of the log: a new record would have been fetched. */
  const ends = new Map<number, number>();
  function lag({ topic, partition = 0 }: Place, base: number): void {
    const end = ends.get(partition) ?? base;
    lags.set(Math.max(end - base, 0), { topic, partition: String(partition) });
  }

  return {
    async timed(insert: () => Promise<InsertResult>): Promise<InsertResult> {
      const since = clock.monotonic();
      try {
        return await insert();
      } finally {
        seconds.observe((clock.monotonic() - since) / 1_000, { table });
      }
    },

    assigned(sources: readonly TopicPartition[]): void {
      assignments();
      log.info("partitions.assigned", {
        stage: options.name,
        partitions: sources.map(({ partition }) => partition),
      });
    },

    fetched(batch: FetchedBatch, base: number | null): void {
      ends.set(batch.partition, batch.highWatermark);
      if (base !== null) lag(batch, base);
    },

    committed(source: TopicPartition, base: number): void {
      lag(source, base);
    },

    refused({ raw, refusal }: RefusedEntry): void {
      refusals.inc({ table, reason: refusal.reason });
      log.warn("record.refused", {
        table,
        topic: raw.topic,
        partition: raw.partition,
        offset: raw.offset,
        ...refusal,
      });
    },

    report(place: Place, fact: BatchFact): void {
      const where = { stage: options.name, ...place };
      switch (fact.kind) {
        case "started":
          lag(place, fact.start.base);
          for (const found of fact.start.faults) fault(place, found);
          log.info("partition.started", {
            ...where,
            offset: fact.start.base,
            ...intentFields(place, fact.start.intent),
          });
          return;
        case "intent_foreign":
          log.error("intent.foreign", {
            ...where,
            ...intentFields(place, fact.intent),
          });
          return;
        case "lost":
          lost.inc({ topic: place.topic }, fact.to - fact.from);
          log.error("offset.belowStart", {
            ...where,
            position: fact.from,
            start: fact.to,
            lost: fact.to - fact.from,
          });
          return;
        case "inserted":
          rows.inc({ table }, fact.rows);
          log.debug("batch.inserted", { ...where, rows: fact.rows });
          return;
        case "mended":
          mended.inc({ table }, fact.rows);
          log.warn("rows.mended", { ...where, table, rows: fact.rows });
          return;
        case "rows_refused":
          log.debug("batch.refused", {
            ...where,
            rows: fact.rows,
            detail: fact.detail,
          });
          return;
        case "unavailable":
          failures.inc({ table });
          return;
        case "waiting":
          if (fact.needsOperator)
            log.error("table.needsOperator", {
              ...where,
              problem: fact.problem,
            });
          else
            log.warn("partition.waiting", { ...where, problem: fact.problem });
          return;
        case "healed":
          log.info("partition.healed", { ...where, problem: fact.problem });
          return;
        case "failed":
          log.error("partition.failed", { ...where, error: fact.error });
          return;
      }
    },
  };
}

/** What an intent says of one partition. The whole may be 4,096 characters long, and each of its partitions reports it. */
function intentFields({ partition }: Place, intent: Intent | null) {
  if (intent === null || partition === undefined) return {};
  const { first, last } = rangeIn(intent, partition)!; // only intents that name the partition are reported
  const { intendedAt, ranges } = intent;
  return { intent: { first, last, intendedAt, partitions: ranges.length } };
}

const EVENT_OF_FAULT: Readonly<Record<StartFault["kind"], string>> = {
  below_start: "belowStart",
  beyond_end: "beyondEnd",
  intent_cut: "intentCut",
  metadata_unreadable: "metadataUnreadable",
};
