/**
 * Sends the records that follow from a record until all of them are acknowledged.
 *
 * Records that were acknowledged must not be followed by another handling of the same record. Otherwise one delivery could
 * get both a retry and a deferral, and would go on as two chains. So:
 *
 * - Records are sent chunk by chunk. If the output refuses a chunk, only that chunk is sent again, after a back-off. The
 *   chunks before it and the handler (with its HTTP request) are not repeated. `Output.send` encodes a whole chunk before it
 *   queues any of it, so it took nothing of a chunk that it refuses. Route's output is the exception: it sends a large fan-out
 *   in pieces. If a later piece is refused, the pieces before it are sent twice, and deliver drops the repeats by their ids.
 * - If the stage's iterable throws, that is a bug of the stage, and the record must be handled again. Chunks that were sent
 *   before the throw are then sent twice. An array cannot throw; only route returns an iterable that could, for an event with
 *   many deliveries, and these carry ids by which deliver drops a repeat.
 *
 * A record is *given back* when its partition moved to another member or the runner stops: its offset stays open, and the
 * partition's next owner handles it.
 */
import type { Log } from "@postrider/runtime";
import { backOffMs } from "../back-off.ts";
import type { Output } from "../output-port.ts";
import type { OutRecord, RawRecord } from "../record.ts";
import type { OpenRecord } from "./open-record.ts";
import { Pauses } from "./pauses.ts";
import type { RunnerMetrics } from "./runner-metrics.ts";

export interface ProductionOptions {
  readonly output: Pick<Output, "send" | "sendThen">;
  readonly log: Log;
  readonly metrics: Pick<RunnerMetrics, "handlerErrors">;
}

/** How a record's production ended. `bug` is what the stage's iterable threw. */
export type Ending =
  | { readonly kind: "acknowledged" }
  | { readonly kind: "given_back" }
  | { readonly kind: "threw"; readonly bug: unknown };

const ACKNOWLEDGED: Ending = { kind: "acknowledged" };
const GIVEN_BACK: Ending = { kind: "given_back" };

/** A verdict with more records than this is given to the output in chunks of this size. */
const CHUNK_RECORDS = 500;

export class Production {
  readonly #options: ProductionOptions;
  readonly #pauses = new Pauses();

  constructor(options: ProductionOptions) {
    this.#options = options;
  }

  /**
   * Sends `records` until all are acknowledged, then calls `ended` once, at the earliest before it returns. Never throws. Nearly
   * every record has a few outputs that are acknowledged at the first try, so that path makes no promise; only the others use
   * async functions.
   */
  send(
    entry: OpenRecord<unknown>,
    records: Iterable<OutRecord>,
    ended: (ending: Ending) => void,
  ): void {
    if (!Array.isArray(records) || records.length > CHUNK_RECORDS)
      return void this.#sendInChunks(entry, records).then(ended);
    if (records.length === 0) return ended(ACKNOWLEDGED);
    this.#options.output.sendThen(records, entry.raw, (error) => {
      if (error === null) ended(ACKNOWLEDGED);
      else void this.#sendAgain(entry, records, error).then(ended);
    });
  }

  /** Like `send`, but makes the records anew at each try, because making them may throw. */
  async sendMade(
    entry: OpenRecord<unknown>,
    make: () => readonly OutRecord[],
  ): Promise<Ending> {
    const isAcknowledged = await this.#sendUntilAcknowledged(entry, make);
    return isAcknowledged ? ACKNOWLEDGED : GIVEN_BACK;
  }

  /** Waits before the record is tried again. Resolves with false if the record is given back instead. Never rejects. */
  async backOff(entry: OpenRecord<unknown>, error: unknown): Promise<boolean> {
    if (this.#isGivenBack(entry)) return false;
    const waitMs = backOffMs(++entry.failures, 1);
    this.report(entry, error, waitMs);
    await this.#pauses.wait(waitMs);
    return !this.#isGivenBack(entry);
  }

  /** Logs and counts that the record failed, and when it will be tried again. Never throws. */
  report(entry: OpenRecord<unknown>, error: unknown, waitMs: number): void {
    const { log, metrics } = this.#options;
    const { topic, partition, offset } = entry.raw;
    logThrown(log, entry.raw, () => {
      log.error("record.handlerFailed", {
        topic,
        partition,
        offset,
        failures: entry.failures,
        waitMs,
        error: textOf(error),
      });
      metrics.handlerErrors();
    });
  }

  /** Ends all waits: records that wait to be tried again are given back. */
  stop(): void {
    this.#pauses.stop();
  }

  /** After a first try that was refused. Never rejects. */
  async #sendAgain(
    entry: OpenRecord<unknown>,
    records: readonly OutRecord[],
    error: Error,
  ): Promise<Ending> {
    const isAcknowledged =
      (await this.backOff(entry, error)) &&
      (await this.#sendUntilAcknowledged(entry, () => records));
    return isAcknowledged ? ACKNOWLEDGED : GIVEN_BACK;
  }

  async #sendInChunks(
    entry: OpenRecord<unknown>,
    records: Iterable<OutRecord>,
  ): Promise<Ending> {
    let chunk: OutRecord[] = [];
    const isChunkAcknowledged = (): Promise<boolean> => {
      const full = chunk;
      chunk = [];
      return this.#sendUntilAcknowledged(entry, () => full);
    };
    try {
      for (const record of records) {
        chunk.push(record);
        if (chunk.length === CHUNK_RECORDS && !(await isChunkAcknowledged()))
          return GIVEN_BACK;
      }
    } catch (bug) {
      return { kind: "threw", bug };
    }
    const isAcknowledged = chunk.length === 0 || (await isChunkAcknowledged());
    return isAcknowledged ? ACKNOWLEDGED : GIVEN_BACK;
  }

  /** Sends one chunk until it is acknowledged (true) or the record is given back (false). Never rejects. */
  async #sendUntilAcknowledged(
    entry: OpenRecord<unknown>,
    recordsOf: () => readonly OutRecord[],
  ): Promise<boolean> {
    for (;;) {
      try {
        await this.#options.output.send(recordsOf(), entry.raw);
        return true;
      } catch (error) {
        if (!(await this.backOff(entry, error))) return false;
      }
    }
  }

  #isGivenBack({ partition }: OpenRecord<unknown>): boolean {
    return this.#pauses.isStopped || partition.state === "lost";
  }
}

/** Runs `act`. If it throws, logs that and returns, so that a bug there cannot change what happens to the record. */
export function logThrown(log: Log, raw: RawRecord, act: () => void): void {
  try {
    act();
  } catch (error) {
    logAftermath(log, raw, error);
  }
}

/** Something failed after the record's output was acknowledged. That changes nothing for the record. */
export function logAftermath(log: Log, raw: RawRecord, error: unknown): void {
  log.error("record.aftermathFailed", {
    topic: raw.topic,
    partition: raw.partition,
    offset: raw.offset,
    error: textOf(error),
  });
}

function textOf(error: unknown): string {
  return error instanceof Error
    ? (error.stack ?? error.message)
    : String(error);
}
