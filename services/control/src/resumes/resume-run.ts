/**
 * One run of a resume: reads the places up to the log's ends, sends what is parked to `deliveries`, paced, and stores after
 * each chunk how far it got. A run that is cut off is repeated from the last checkpoint, and deliver drops what it then gets twice.
 *
 * When is a resume done? A dispatcher whose table has not seen the resume yet goes on parking. It parks only while its table is
 * current, so not later than `PARKING_ENDS_MS` after the resume was read back. What it has decided until then is in
 * `dead-letters` once the group of the dispatchers has committed everything that `deliveries` holds at that moment. Then the
 * run reads up to the ends once more, and is done.
 */
import type { Endpoint, MonotonicMs, Resume } from "@postrider/core";
import type {
  FetchedBatch,
  LogRange,
  OutRecord,
  RawRecord,
} from "@postrider/messaging";
import { sleep } from "@postrider/runtime";
import {
  decoded,
  recordsOf,
  type LetterReading,
} from "../letters/letter-reading.ts";
import { resentDelivery } from "./resent-delivery.ts";
import { bitByBit } from "../writer/bit-by-bit.ts";
import { untilLeased, type Lease } from "../writer/lease.ts";
import type { InSlot } from "../writer/slots.ts";
import type { DeadLetterLog, Progress } from "./resume.ts";
import type { ResumeStore } from "./resume-store.ts";

/** A table counts as current for five seconds (`Table.behind`). One second more, because clocks do not run equally fast. */
const PARKING_ENDS_MS = 6_000;
/** A checkpoint is due after so many records, also where none of them is sent. */
const CHECKPOINT_RECORDS = 5_000;
/** The most deliveries between two checkpoints. */
const MAX_CHUNK = 250;
/** A checkpoint is due after so many bytes, too: all of a chunk is in memory together. */
const MAX_CHUNK_BYTES = 4 * 1_048_576;
/** How long a run reads while others wait for its slot. Beginning costs about a second, because the reader joins a group. */
const SLOT_MS = 10_000;

export interface ResumeRunOptions extends LetterReading, Lease {
  readonly store: Pick<ResumeStore, "get" | "checkpoint" | "reach" | "done">;
  readonly endpoints: { get(id: string): Endpoint | undefined };
  readonly deadLetterLog: () => Promise<DeadLetterLog>;
  /** How far the group of the dispatchers has come in the endpoint's partition of `deliveries`. */
  readonly dispatchers: {
    /** That partition and its range now. The partition is kept, because another one is the endpoint's once `deliveries` gets more. */
    endFor(endpointId: string): Promise<DeliveriesEnd>;
    /** Whether every record below the end is done. */
    havePassed(place: DeliveriesEnd): Promise<boolean>;
  };
  readonly read: (
    partition: number,
    range: { readonly from: number; readonly to: number },
    signal: AbortSignal,
  ) => AsyncIterable<FetchedBatch>;
  readonly send: (record: OutRecord, source: RawRecord) => Promise<void>;
  /** Deliveries a second. */
  readonly perSecond: number;
  /** From one look at the logs' ends to the next, ms. Default 1,000. */
  readonly lookEveryMs?: number;
}

/** Where the endpoint's partition of `deliveries` ended. */
export type DeliveriesEnd = Pick<LogRange, "partition" | "start" | "end">;

/** What a run knows that its next try need not find out again. */
export interface RunMemory {
  /** When the resume was first seen in the table. */
  shownAt: MonotonicMs | null;
  /** What the dispatchers must have passed; asked for after parking was over. */
  deliveriesEnd: DeliveriesEnd | null;
}

interface RunContext {
  readonly signal: AbortSignal;
  readonly inSlot: InSlot;
  readonly memory: RunMemory;
}

/** Resolves once the resume is no longer running or is another one. Rejects when the signal is aborted, when a write fails or Kafka is away. */
export async function runResume(
  options: ResumeRunOptions,
  of: Pick<Resume, "endpointId" | "id">,
  context: RunContext,
): Promise<void> {
  const { store, deadLetterLog, lookEveryMs } = options;
  const { signal, inSlot, memory } = context;
  const { endpointId, id } = of;
  for (;;) {
    signal.throwIfAborted();
    const isOver = await isParkingOver(options, endpointId, memory);
    // Asked for after it is known whether anything can still be parked, so that the last round reads all.
    const resume = await store.reach(endpointId, await deadLetterLog());
    if (!isRunning(resume, id)) return;
    const unread = resume.places.filter(({ position, end }) => position < end);
    if (unread.length > 0) {
      const isRead = await inSlot(async (isWanted) => {
        // The turn may have come late.
        if (!isRunning(store.get(endpointId), id)) return false;
        const until = options.clock.monotonic() + SLOT_MS;
        const mustYield = (): boolean =>
          isWanted() && options.clock.monotonic() >= until;
        for (const place of unread)
          if (!(await sendPlace(options, resume, { place, mustYield, signal })))
            return false;
        return true;
      }, signal);
      // It was stopped, which the next look shows, or others are to read now.
      if (!isRead) continue;
    }
    if (isOver) return await store.done(endpointId, id);
    await sleep(lookEveryMs ?? 1_000, { signal });
  }
}

/** Whether everything that the dispatchers will park is in `dead-letters`. */
async function isParkingOver(
  options: ResumeRunOptions,
  endpointId: string,
  memory: RunMemory,
): Promise<boolean> {
  const { store, clock, dispatchers } = options;
  // Two partitions show the same transaction one after the other; dispatchers read that of the endpoint.
  if (isShown(options, store.get(endpointId)))
    memory.shownAt ??= clock.monotonic();
  const { shownAt } = memory;
  if (shownAt === null || clock.monotonic() - shownAt < PARKING_ENDS_MS)
    return false;
  memory.deliveriesEnd ??= await dispatchers.endFor(endpointId);
  return await dispatchers.havePassed(memory.deliveriesEnd);
}

function isRunning(
  resume: Resume | undefined,
  id: string,
): resume is Resume & { readonly state: "running" } {
  return resume?.id === id && resume.state === "running";
}

/** Whether the table shows the endpoint as the resume has made it. */
function isShown(
  { endpoints }: ResumeRunOptions,
  resume: Resume | undefined,
): boolean {
  if (resume === undefined) return false;
  const endpoint = endpoints.get(resume.endpointId);
  return endpoint !== undefined && endpoint.version >= resume.endpointVersion;
}

/** A delivery of a chunk, and what the chunk had passed over before it. */
interface ToSend {
  readonly record: OutRecord;
  readonly source: RawRecord;
  readonly skipped: number;
  readonly unreadable: number;
}

/** Resolves to false once the resume was stopped or is another one, and where others are to read before the place was read to its end. */
async function sendPlace(
  options: ResumeRunOptions,
  resume: Resume,
  of: {
    readonly place: Resume["places"][number];
    readonly mustYield: () => boolean;
    readonly signal: AbortSignal;
  },
): Promise<boolean> {
  const { place, mustYield, signal } = of;
  const { store, clock, read, perSecond } = options;
  const { endpointId, id } = resume;
  const { partition, position: from, end: to } = place;
  const chunkSize = Math.max(1, Math.min(MAX_CHUNK, Math.ceil(perSecond / 2)));
  let chunk: ToSend[] = [];
  let chunkBytes = 0;
  let position = from;
  let skipped = 0;
  let unreadable = 0;

  const checkpoint = async (
    reached: Omit<Progress, "id" | "partition" | "end">,
  ): Promise<Resume | undefined> =>
    await store.checkpoint(endpointId, { id, partition, end: to, ...reached });

  async function flush(): Promise<boolean> {
    const startedAt = clock.monotonic();
    const sent = chunk.length;
    await untilLeased(options, signal);
    if (!isRunning(store.get(endpointId), id)) return false;
    const dueMs = (sent / perSecond) * 1_000;
    let last: ToSend | undefined;
    let handedOver = 0;
    try {
      await bitByBit(
        chunk,
        { ...options, overMs: dueMs, signal },
        async (bit) => {
          await Promise.all(
            bit.map(({ record, source }) => options.send(record, source)),
          );
          last = bit.at(-1);
          handedOver += bit.length;
        },
      );
    } catch (error) {
      // A clean stop between two bits repeats nothing, however long it lasts. After the tenure nothing can be stored.
      if (signal.aborted && last !== undefined)
        await checkpoint({
          position: last.source.offset + 1,
          sent: handedOver,
          skipped: last.skipped,
          unreadable: last.unreadable,
        });
      throw error;
    }
    const stored = await checkpoint({ position, sent, skipped, unreadable });
    chunk = [];
    chunkBytes = skipped = unreadable = 0;
    if (!isRunning(stored, id)) return false;
    await sleep(Math.max(0, dueMs - (clock.monotonic() - startedAt)), {
      signal,
    });
    return true;
  }

  for await (const batch of read(partition, { from, to }, signal)) {
    for (const source of batch.records) {
      const letter = await decoded(options, source, signal);
      const value =
        letter && resentDelivery(letter, resume, options.clock.now());
      if (value) {
        chunk.push({
          record: { topic: "deliveries", key: endpointId, value },
          source,
          skipped,
          unreadable,
        });
        chunkBytes += source.value?.length ?? 0;
      } else if (letter === null) unreadable += recordsOf(source);
      else skipped += 1;
      position = source.offset + 1;
      const isDue =
        chunk.length >= chunkSize ||
        chunkBytes >= MAX_CHUNK_BYTES ||
        skipped + unreadable >= CHECKPOINT_RECORDS;
      if (isDue && (!(await flush()) || mustYield())) return false;
    }
    position = Math.min(to, batch.lastOffset + 1);
  }
  position = to;
  return await flush();
}
