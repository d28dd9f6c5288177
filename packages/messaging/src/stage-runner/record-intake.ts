/**
 * Takes records from fetched batches. A record that is already done is only shown to the stage (`remember`); any other is
 * decoded and queued in its lane.
 *
 * While a partition's window is full (window-pressure), its records stay in its backlog and its fetching is paused.
 */
import type { Clock, Log } from "@postrider/runtime";
import type { OwnedPartition } from "../offsets/owned-partition.ts";
import type { Consumer, FetchedBatch } from "../ports.ts";
import { lastOffsetOf, type RawRecord } from "../record.ts";
import { refusingUnreadable } from "../refusing-unreadable.ts";
import type { RunnerLimits } from "./runner-limits.ts";
import type { Decoded, Decoder, Stage } from "../stage.ts";
import { OpenRecord } from "./open-record.ts";
import { measure } from "./window-pressure.ts";

export interface IntakeOptions<In> {
  readonly stage: Pick<Stage<In>, "remember" | "forget" | "defer">;
  readonly decode: Decoder<In>;
  readonly limits: RunnerLimits;
  readonly consumer: Pick<Consumer, "pause" | "resume" | "seek">;
  readonly log: Log;
  readonly clock: Clock;
  readonly events: IntakeEvents<In>;
}

export interface IntakeEvents<In> {
  /** Records are about to be decoded: what waits before them for the same schema goes first, if that has come. */
  taking(): void;
  decoded(entry: OpenRecord<In>): void;
  unreadable(
    entry: OpenRecord<In>,
    why: Extract<Decoded<In>, { kind: "unreadable" }>,
  ): void;
  unknownSchema(entry: OpenRecord<In>, schema: string): void;
  /** The position moved on and no record was opened: the new position has to be committed. */
  passed(partition: OwnedPartition): void;
  /** The window is under pressure: relief is wanted. */
  pressed(partition: OwnedPartition): void;
}

export class RecordIntake<In> {
  readonly #options: IntakeOptions<In>;
  /** Never throws. */
  readonly decode: Decoder<In>;
  #bytesPerPartition: number;
  #warmUpBytesPerPartition: number;

  constructor(options: IntakeOptions<In>) {
    this.#options = options;
    this.decode = refusingUnreadable(neverThrowing(options.decode));
    this.#bytesPerPartition = options.limits.byteBudget;
    this.#warmUpBytesPerPartition = options.limits.warmUpBytes;
  }

  get bytesPerPartition(): number {
    return this.#bytesPerPartition;
  }

  /** Splits the process's byte budgets evenly over the partitions that are assigned. */
  splitBudget(partitions: number): void {
    const { limits } = this.#options;
    const share = 1 / Math.max(1, partitions);
    this.#bytesPerPartition = Math.min(
      limits.maxOpenBytesPerPartition,
      limits.byteBudget * share,
    );
    this.#warmUpBytesPerPartition = Math.min(
      limits.warmUpBytes,
      limits.warmUpBudgetBytes * share,
    );
  }

  batch(partition: OwnedPartition, batch: FetchedBatch): void {
    if (!partition.follows(batch)) {
      // The batch leaves out offsets that we have not read, or comes while a backlog is left: fetch again from our position.
      this.#options.consumer.seek(partition, partition.fetchPosition);
      return;
    }
    partition.put(batch);
    this.take(partition);
  }

  /** Takes records from the backlog while there is room; then pauses or resumes fetching. */
  take(partition: OwnedPartition): void {
    if (partition.waiting > 0) this.#options.events.taking();
    const now = this.#options.clock.monotonic();
    const { next, base } = partition.tracker;
    const { openInMemory } = partition;
    while (partition.backlogEnd !== null && !this.#isFull(partition)) {
      const raw = partition.takeNext();
      if (raw === null) continue;
      if (this.#goesBack(partition, raw)) break;
      if (lastOffsetOf(raw) === raw.offset) this.#takeOne(partition, raw, now);
      else this.#takeRange(partition, raw, now);
    }
    // No record was opened, but the position moved on: over control records, or over offsets that the log no longer has.
    const { tracker } = partition;
    const isMoved = tracker.next > next || tracker.base > base;
    if (isMoved && partition.openInMemory === openInMemory)
      this.#options.events.passed(partition);
    this.flow(partition);
    if (partition.isPressed) this.#options.events.pressed(partition);
  }

  /** Pauses or resumes fetching. Also called right after an assignment, when every partition is paused. */
  flow(partition: OwnedPartition): void {
    if (partition.state !== "reading") return;
    const shouldPause = partition.isFull || partition.backlogEnd !== null;
    if (shouldPause === partition.isPaused) return;
    const { consumer } = this.#options;
    if (shouldPause) {
      partition.pause();
      consumer.pause([partition]);
    } else {
      partition.resume();
      consumer.resume([partition]);
    }
  }

  /** A record of the partition is done: there may be room again. */
  relax(partition: OwnedPartition): void {
    const wasFull = partition.isFull;
    this.#measure(partition);
    if (wasFull && !partition.isFull) this.take(partition);
  }

  #measure(partition: OwnedPartition): void {
    const { limits, stage } = this.#options;
    measure(partition, {
      limits,
      bytesPerPartition: this.#bytesPerPartition,
      hasRelief: stage.defer !== undefined,
    });
  }

  #isFull(partition: OwnedPartition): boolean {
    this.#measure(partition);
    return partition.isFull;
  }

  /** A batch that cannot be read is taken as one record, at the first of its offsets that is not done. */
  #takeRange(partition: OwnedPartition, raw: RawRecord, now: number): void {
    const offset = partition.firstNotDone(raw.offset, lastOffsetOf(raw));
    if (offset !== null) this.#takeOne(partition, { ...raw, offset }, now);
  }

  #takeOne(partition: OwnedPartition, raw: RawRecord, now: number): void {
    const reading = partition.read(raw.offset);
    if (reading === "done") {
      this.#remember(partition, raw);
      return;
    }
    const { events } = this.#options;
    const decoded = this.decode(raw);
    // An entry without a value never reaches the stage: it waits for its schema (SchemaWait) or becomes a dead letter.
    const value =
      decoded.kind === "decoded" ? decoded.value : (undefined as In);
    const entry = new OpenRecord<In>(raw, value, partition, now);
    partition.open(entry, reading);
    switch (decoded.kind) {
      case "decoded":
        return events.decoded(entry);
      case "unreadable":
        return events.unreadable(entry, decoded);
      case "unknown_schema":
        return events.unknownSchema(entry, decoded.schema);
    }
  }

  #remember(partition: OwnedPartition, raw: RawRecord): void {
    const { stage, log } = this.#options;
    if (stage.remember === undefined) return;
    const decoded = this.decode(raw);
    if (decoded.kind !== "decoded") return;
    try {
      stage.remember({ raw, value: decoded.value });
    } catch (error) {
      log.error("record.notRemembered", {
        topic: raw.topic,
        partition: raw.partition,
        offset: raw.offset,
        error: String(error),
      });
    }
    this.#boundWarmUp(partition, raw);
  }

  /** Skips a part of the warm-up if it would read more bytes than its limit, because records are many or large. */
  #boundWarmUp(partition: OwnedPartition, raw: RawRecord): void {
    const { warmUp } = partition;
    if (raw.offset >= warmUp.until) return;
    const bytes = (raw.key?.length ?? 0) + (raw.value?.length ?? 0);
    const target = warmUp.noteRemembered(
      raw.offset,
      bytes,
      this.#warmUpBytesPerPartition,
    );
    const { backlogEnd } = partition;
    if (target === null || backlogEnd === null || target <= backlogEnd + 1)
      return;
    this.#jumpTo(partition, target);
    this.#options.log.info("partition.warmUpCut", {
      topic: partition.topic,
      partition: partition.partition,
      from: raw.offset + 1,
      to: target,
    });
  }

  /** Reads a part of the warm-up again, with what was skipped before it, if too much was skipped. The record, the first one behind the warm-up, is read again, too. */
  #goesBack(partition: OwnedPartition, raw: RawRecord): boolean {
    const { warmUp } = partition;
    if (lastOffsetOf(raw) < warmUp.until) return false;
    const target = warmUp.goesBackTo(this.#warmUpBytesPerPartition);
    if (target === null) return false;
    this.#jumpTo(partition, target);
    this.#options.log.info("partition.warmUpExtended", {
      topic: partition.topic,
      partition: partition.partition,
      from: target,
      to: warmUp.until,
    });
    return true;
  }

  #jumpTo(partition: OwnedPartition, target: number): void {
    // What is remembered must be in the order of the log, and without gaps.
    this.#options.stage.forget?.(partition);
    partition.jumpTo(target);
    this.#options.consumer.seek(partition, target);
  }
}

/** A decoder must not throw. If one does, its record is unreadable and the partition goes on. */
function neverThrowing<In>(decode: Decoder<In>): Decoder<In> {
  return (raw) => {
    try {
      return decode(raw);
    } catch (error) {
      return {
        kind: "unreadable",
        reason: "unreadable",
        detail: `The decoder failed: ${String(error)}`,
      };
    }
  };
}
