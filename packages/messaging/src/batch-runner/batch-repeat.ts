/**
 * Repeats a batch whose intent was found on assignment: reads all its ranges, whoever owns their partitions, and inserts the same rows
 * under the same token. Partitions of one assignment that have the same intent share one repeat.
 */
import type { BatchEntry } from "./batch-entry.ts";
import { refused, rowsOf } from "./batch-entry.ts";
import { insertUntilAnswered } from "./batch-insert.ts";
import { BatchQueue } from "./batch-queue.ts";
import { encodeIntent, isOfAnotherLog, tokenOf } from "./intent-metadata.ts";
import type { Intent, IntentRange } from "./intent-metadata.ts";
import type { AssignmentHost } from "./partition-host.ts";
import type { PartitionWaits } from "./partition-waits.ts";
import type { RawRecord } from "../record.ts";

/** A fetch asks for so many bytes at most. */
const MAX_FETCH_BYTES = 1 << 20;
/** From one question for records that the log must have to the next, ms. */
const FETCH_POLL_MS = 100;

export type Repeated<Row> =
  | {
      readonly kind: "inserted";
      readonly token: string;
      /** What the logs of our own partitions still have of the batch; a record that the intent excludes is refused, even if it could be inserted now. */
      readonly entries: readonly BatchEntry<Row>[];
      /** For each partition that had a part in the insert, one past the last offset that was looked at: less than the range if the log was cut. A partition whose log was made anew is missing here. */
      readonly readTo: ReadonlyMap<number, number>;
    }
  /** Nothing of the batch is in the table, and the table does not take it. */
  | { readonly kind: "refused" };

interface ReadRange {
  readonly range: IntentRange;
  readonly records: readonly RawRecord[];
  readonly readTo: number;
}

export class BatchRepeats<Row> {
  readonly #host: AssignmentHost<Row>;
  readonly #own: ReadonlySet<number>;
  readonly #shared = new Map<string, Promise<Repeated<Row>>>();
  #last: Promise<unknown> = Promise.resolve();

  /** `own`: the partitions of the assignment. */
  constructor(host: AssignmentHost<Row>, own: Iterable<number>) {
    this.#host = host;
    this.#own = new Set(own);
  }

  /**
   * The first partition to ask does the work, with its `waits`; the others get the same answer. One intent after the other, because each
   * needs the memory of a whole batch.
   */
  repeat(intent: Intent, waits: PartitionWaits): Promise<Repeated<Row>> {
    const text = `${intent.ranges[0]?.partition} ${encodeIntent(intent)}`;
    let repeated = this.#shared.get(text);
    if (repeated === undefined) {
      repeated = this.#last.then(() => this.#repeat(intent, waits));
      this.#last = repeated.catch(() => undefined); // whoever asked gets the error
      this.#shared.set(text, repeated);
    }
    return repeated;
  }

  /** Frees the memory. Call when no partition will ask any more. */
  clear(): void {
    this.#shared.clear();
  }

  async #repeat(intent: Intent, waits: PartitionWaits): Promise<Repeated<Row>> {
    const host = this.#host;
    // A record keeps the whole fetch that it came in, and each range fetches more than it needs once at most. So all ranges together keep
    // twice a batch, or a broker's batch for each range if those are larger.
    const share = Math.ceil(host.limits.maxBytes / intent.ranges.length);
    const maxBytes = Math.min(MAX_FETCH_BYTES, share);
    const read = await Promise.all(
      intent.ranges.map((range) => this.#read(range, maxBytes, waits)),
    );
    // Each range is judged alone. If one log was made anew, the rest is what is left of the announced block, as after retention:
    // the table has the block under its token, or takes the rest. Anything else would insert the other partitions' rows twice.
    const genuine = read.filter((each) => !isForeign(each));

    const entries: BatchEntry<Row>[] = [];
    for (const { range, records } of genuine) {
      const excluded = new Set(range.excluded);
      for (const entry of await this.#judge(records, waits))
        entries.push(
          entry.kind === "row" && excluded.has(entry.raw.offset)
            ? refused(entry.raw, "refused before")
            : entry,
        );
    }
    const token = tokenOf(host.table, host.topic, intent);
    const rows = rowsOf(entries, intent.intendedAt, host.reducedRowOf);
    if (rows.length > 0) {
      // Not mended here: each owner mends the rows of its own partitions, so that no two mend the same range at once.
      const { verdict } = await insertUntilAnswered(
        { rows, token },
        { host, waits, hold: () => undefined },
      );
      if (verdict.kind === "refused") return { kind: "refused" };
    }
    return {
      kind: "inserted",
      token,
      entries: entries.filter(({ raw }) => this.#own.has(raw.partition)),
      readTo: new Map(
        genuine.map(({ range, readTo }) => [range.partition, readTo]),
      ),
    };
  }

  /** The records of the range that the log still has. */
  async #read(
    range: IntentRange,
    maxBytes: number,
    waits: PartitionWaits,
  ): Promise<ReadRange> {
    const { partition, first, last } = range;
    const source = { topic: this.#host.topic, partition };
    const queue = new BatchQueue(first);
    for (;;) {
      // Both in one try: retention may move the log's start beyond our position between the two, and then the start must be asked for again.
      const fetched = await waits.persist(async () => {
        const log = await this.#host.fetchLogRange(source);
        queue.skipTo(log.start);
        if (queue.readTo > Math.min(last, log.end - 1)) return "all";
        return await this.#host.fetchOnce(source, queue.readTo, maxBytes);
      });
      if (fetched === "all") break;
      if (fetched === null) await waits.sleep(FETCH_POLL_MS);
      else queue.push(fetched, this.#host.monotonic());
    }
    return {
      range,
      records: queue.records.filter(({ offset }) => offset <= last),
      readTo: Math.min(queue.readTo, last + 1),
    };
  }

  async #judge(
    records: readonly RawRecord[],
    waits: PartitionWaits,
  ): Promise<BatchEntry<Row>[]> {
    const entries: BatchEntry<Row>[] = [];
    while (entries.length < records.length) {
      const judged = this.#host.judge(records.slice(entries.length));
      for (const entry of judged.entries) entries.push(entry);
      if (judged.waitsFor === null) continue;
      waits.reportProblem(`waits for schema ${judged.waitsFor}`, false);
      await waits.sleep(this.#host.limits.schemaPollMs);
    }
    return entries;
  }
}

function isForeign({ range, records: [first] }: ReadRange): boolean {
  return first !== undefined && isOfAnotherLog(range, first);
}
