/**
 * Sends what follows from a record until all of it is acknowledged.
 *
 * What was acknowledged must not be sent again by another handling of the record: a retry and a deferral of one delivery
 * would be two chains of it. So:
 *
 * - Records are sent chunk by chunk. A chunk that the output refuses was not taken at all (`Output.send` encodes all of it
 *   before it queues any), so that chunk alone is sent again, after a back-off. Neither the chunks before it nor the handler
 *   with its HTTP request are repeated.
 * - An iterable that throws is a bug of the stage: the record must be handled again. If it throws after its first chunk,
 *   that chunk is sent twice; this is the one case. Stages give arrays, which cannot throw, and what they fan out carries ids
 *   by which the repeat is dropped.
 *
 * A record is *given back* when its partition went to another member or the runner stops: whoever owns it next takes it.
 */
import type { Log } from "@postrider/runtime";
import { backOffMs } from "../back-off.ts";
import type { Output } from "../output-port.ts";
import type { OutRecord, RawRecord } from "../record.ts";
import type { OpenRecord } from "./open-record.ts";
import { Pauses } from "./pauses.ts";
import type { RunnerMetrics } from "./runner-metrics.ts";

export interface ProductionOptions {
  readonly output: Pick<Output, "send">;
  readonly log: Log;
  readonly metrics: Pick<RunnerMetrics, "handlerErrors">;
}

/** How it ended; `threw` names what the stage's iterable threw. */
export type Ending =
  | { readonly kind: "acknowledged" }
  | { readonly kind: "given_back" }
  | { readonly kind: "threw"; readonly bug: unknown };

const ACKNOWLEDGED: Ending = { kind: "acknowledged" };
const GIVEN_BACK: Ending = { kind: "given_back" };

/** Records given to the output at once, from a verdict that yields many. */
const CHUNK_RECORDS = 500;

export class Production {
  readonly #options: ProductionOptions;
  readonly #pauses = new Pauses();

  constructor(options: ProductionOptions) {
    this.#options = options;
  }

  /**
   * Nearly every record has a few outputs that are acknowledged at the first try: one promise for those, and async
   * functions only for the others. Never throws; `ended` is called once.
   */
  send(
    entry: OpenRecord<unknown>,
    records: Iterable<OutRecord>,
    ended: (ending: Ending) => void,
  ): void {
    if (!Array.isArray(records) || records.length > CHUNK_RECORDS)
      return void this.#sendInChunks(entry, records).then(ended);
    if (records.length === 0) return ended(ACKNOWLEDGED);
    this.#options.output.send(records, entry.raw).then(
      () => ended(ACKNOWLEDGED),
      async (error: unknown) => {
        const isAcknowledged =
          (await this.backOff(entry, error)) &&
          (await this.#sendUntilAcknowledged(entry, () => records));
        ended(isAcknowledged ? ACKNOWLEDGED : GIVEN_BACK);
      },
    );
  }

  /** As `send`, for records that are made anew at each try, because making them may throw. */
  async sendMade(
    entry: OpenRecord<unknown>,
    make: () => readonly OutRecord[],
  ): Promise<Ending> {
    const isAcknowledged = await this.#sendUntilAcknowledged(entry, make);
    return isAcknowledged ? ACKNOWLEDGED : GIVEN_BACK;
  }

  /** Waits before the record is tried again. False if it is given back instead. Never rejects. */
  async backOff(entry: OpenRecord<unknown>, error: unknown): Promise<boolean> {
    if (this.#isGivenBack(entry)) return false;
    const waitMs = backOffMs(++entry.failures, 1);
    this.report(entry, error, waitMs);
    await this.#pauses.wait(waitMs);
    return !this.#isGivenBack(entry);
  }

  /** Tells that the record failed, and when it is tried again. Never throws. */
  report(entry: OpenRecord<unknown>, error: unknown, waitMs: number): void {
    const { log, metrics } = this.#options;
    const { topic, partition, offset } = entry.raw;
    guard(log, entry.raw, () => {
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

  /** Ends the waits: what waits to be tried again is given back. */
  stop(): void {
    this.#pauses.stop();
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

  /** One chunk, until it is acknowledged (true) or the record is given back (false). Never rejects. */
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

/** Does what must not change a record's fate: what it throws becomes a line in the log. */
export function guard(log: Log, raw: RawRecord, act: () => void): void {
  try {
    act();
  } catch (error) {
    log.error("record.aftermathFailed", {
      topic: raw.topic,
      partition: raw.partition,
      offset: raw.offset,
      error: textOf(error),
    });
  }
}

function textOf(error: unknown): string {
  return error instanceof Error
    ? (error.stack ?? error.message)
    : String(error);
}
