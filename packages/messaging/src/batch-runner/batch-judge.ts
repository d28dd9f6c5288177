/**
 * Turns raw records into rows or refusals, and decides how long to wait for a schema that cannot be had. The whole partition waits
 * (docs/architecture.md, "Promises, and what keeps them", 8): batches are ranges of the log, so no record behind the waiting one can
 * be recorded before it.
 */
import type { EpochMs, MonotonicMs } from "@postrider/core";
import type { BatchEntry, Refusal, RefusedEntry } from "./batch-entry.ts";
import type { InRecord, RawRecord } from "../record.ts";
import { refusingUnreadable } from "../refusing-unreadable.ts";
import type { Decoder } from "../stage.ts";

/** Makes the rows of a topic's records. */
export interface RecordStage<In, Row> {
  /** The row of a record. If it throws, the record is refused (`row_refused`). It must always throw for the same records. */
  rowOf(record: InRecord<In>): Row;
  /** For the topic `dead-letters` only: a reduced row for a record that is refused, so that it does not become a dead letter again. Never throws. */
  reducedRowOf?(raw: RawRecord, refusal: Refusal, at: EpochMs): Row;
}

export interface Judged<Row> {
  readonly entries: readonly BatchEntry<Row>[];
  /** The schema that the first record without an entry waits for. Null if all records were judged, or the batch is full. */
  readonly waitsFor: string | null;
}

/** At most so many runs of refused records in one batch. A run costs up to 13 characters, so the intent stays below the 4,096 characters that Kafka stores. */
const MAX_REFUSED_RUNS = 250;
/** When so many schemas are noted, those that were not seen for a whole wait are forgotten. */
const MANY_SCHEMAS = 10_000;

export function createBatchJudge<In, Row>(options: {
  readonly stage: RecordStage<In, Row>;
  readonly decode: Decoder<In>;
  readonly unknownSchemaWaitMs: number;
  readonly monotonic: () => MonotonicMs;
}): {
  /** Judges records in order, up to the first that still waits for its schema. */
  judge(records: readonly RawRecord[]): Judged<Row>;
} {
  const { stage, monotonic, unknownSchemaWaitMs } = options;
  const decode = refusingUnreadable(options.decode);
  const schemas = new Map<string, { since: MonotonicMs; seen: MonotonicMs }>();

  /** The wait is per schema, not per record: a thousand records of one lost schema wait once. It begins anew if the schema was not seen for longer than `unknownSchemaWaitMs`. */
  function isWaitOver(schema: string): boolean {
    const now = monotonic();
    const wait = schemas.get(schema);
    if (wait === undefined || now - wait.seen > unknownSchemaWaitMs) {
      if (schemas.size >= MANY_SCHEMAS) forgetUnseen(now);
      schemas.set(schema, { since: now, seen: now });
      return unknownSchemaWaitMs <= 0;
    }
    wait.seen = now;
    return now - wait.since >= unknownSchemaWaitMs;
  }

  function forgetUnseen(now: MonotonicMs): void {
    for (const [schema, wait] of schemas)
      if (now - wait.seen > unknownSchemaWaitMs) schemas.delete(schema);
  }

  /** Begins the waits of the records behind a waiting one now. Otherwise garbage in which each record names another schema would wait for one schema after the other. */
  function lookAhead(records: readonly RawRecord[]): void {
    for (const raw of records) {
      const decoded = decode(raw);
      if (decoded.kind === "unknown_schema") isWaitOver(decoded.schema);
    }
  }

  function judgeOne(raw: RawRecord): BatchEntry<Row> | { waitsFor: string } {
    const decoded = decode(raw);
    if (decoded.kind === "unreadable")
      return refused(raw, { reason: decoded.reason, detail: decoded.detail });
    if (decoded.kind === "unknown_schema") {
      const isOver = isWaitOver(decoded.schema);
      if (!isOver || decoded.isSourceBehind === true)
        return { waitsFor: decoded.schema };
      const detail = `no schema ${decoded.schema} after ${unknownSchemaWaitMs} ms`;
      return refused(raw, { reason: "unknown_schema", detail });
    }
    try {
      return {
        kind: "row",
        raw,
        row: stage.rowOf({ raw, value: decoded.value }),
      };
    } catch (error) {
      return refused(raw, { reason: "row_refused", detail: String(error) });
    }
  }

  return {
    judge(records) {
      const entries: BatchEntry<Row>[] = [];
      let runs = 0;
      for (const raw of records) {
        const entry = judgeOne(raw);
        if ("waitsFor" in entry) {
          lookAhead(records.slice(entries.length + 1));
          return { entries, waitsFor: entry.waitsFor };
        }
        if (entry.kind === "refused" && entries.at(-1)?.kind !== "refused") {
          if (++runs > MAX_REFUSED_RUNS) break;
        }
        entries.push(entry);
      }
      return { entries, waitsFor: null };
    },
  };
}

function refused(raw: RawRecord, refusal: Refusal): RefusedEntry {
  return { kind: "refused", raw, refusal };
}
