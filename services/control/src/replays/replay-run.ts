/**
 * One run of a replay: takes the selection chunk by chunk, sends each past delivery again, paced, and stores after each chunk how far it
 * got. A run that is cut off is repeated from its last checkpoint.
 *
 * Why nothing is sent twice: a page leaves out what has another delivery that was delivered or waits, and passes over what has a
 * delivery of this replay. Both are read from ClickHouse, so before its first page a run waits until (1) no earlier replay that may
 * send the same is unfinished or still has a run in this process, and (2) ClickHouse shows everything that was sent until then
 * (recorded.ts). What a process that was cut off handed over later than that has the same delivery id and step, and deliver drops it.
 */
import type { Endpoint, Replay } from "@postrider/core";
import { KeptFilters } from "@postrider/filter";
import type { OutRecord, RawRecord } from "@postrider/messaging";
import { sleep } from "@postrider/runtime";
import type { LetterReading } from "../letters/letter-reading.ts";
import { bitByBit } from "../writer/bit-by-bit.ts";
import { untilLeased, type Lease } from "../writer/lease.ts";
import type { InSlot } from "../writer/slots.ts";
import type { LetterLog } from "./letter-log.ts";
import type { PastDeliveries } from "./past-deliveries.ts";
import { untilRecorded, type Offsets } from "./recorded.ts";
import { chunksOf, type Chunk } from "./replay-chunks.ts";
import {
  isLacking,
  waitsFor,
  type LeftOutReason,
  type Progress,
} from "./replay.ts";
import type { LeftOut, ReplayStore } from "./replay-store.ts";

/** How long a run works while others wait for its slot. Beginning costs about a second, because the reader joins a group. */
const SLOT_MS = 10_000;

/**
 * A chunk is spread over the time that the replay's rate gives it. Where chunks come more slowly than that, because reading them takes longer,
 * over half of the time from the last one to this; but a chunk that had to wait for ClickHouse is not made slower than so many ms by it.
 */
const MOST_SPREAD_MS = 500;

export interface ReplayRunOptions extends Lease, LetterReading {
  readonly store: Pick<
    ReplayStore,
    "get" | "all" | "checkpoint" | "note" | "done"
  >;
  readonly endpoints: { get(id: string): Endpoint | undefined };
  readonly past: Pick<PastDeliveries, "page" | "event">;
  readonly openLetters: (signal: AbortSignal) => Promise<LetterLog>;
  readonly offsets: Offsets;
  readonly send: (record: OutRecord, source?: RawRecord) => Promise<void>;
  /** Called when everything was sent or left out, before that is stored: who is told of it hears of it at least once. */
  readonly finished: (replay: Replay) => Promise<void>;
  /** Whether a run of this replay has not ended yet in this process. */
  readonly hasRun: (id: string) => boolean;
  /** From one look at what it waits for to the next, ms. */
  readonly lookEveryMs?: number;
}

interface RunContext {
  readonly signal: AbortSignal;
  readonly inSlot: InSlot;
}

/** Resolves once the replay is no longer running. Rejects when the signal is aborted, when a write fails, or Kafka or ClickHouse is away. */
export async function runReplay(
  options: ReplayRunOptions,
  id: string,
  { signal, inSlot }: RunContext,
): Promise<void> {
  const { store } = options;
  if (!(await untilItsTurn(options, id, signal))) return;
  await untilRecorded({
    offsets: options.offsets,
    waits: (what) => store.note(id, `waits: ${what}`),
    signal,
    lookEveryMs: options.lookEveryMs,
  });
  while (
    await inSlot((isWanted) => work(options, id, { signal, isWanted }), signal)
  );
}

/** Sends chunks until the replay is no longer running, or others are to work now; resolves to true only then. */
async function work(
  options: ReplayRunOptions,
  id: string,
  {
    signal,
    isWanted,
  }: { readonly signal: AbortSignal; readonly isWanted: () => boolean },
): Promise<boolean> {
  const { store, clock } = options;
  const until = clock.monotonic() + SLOT_MS;
  const letters = await options.openLetters(signal);
  try {
    const replay = runningOf(options, id);
    if (replay === undefined) return false;
    const filters = new KeptFilters();
    const chunks = chunksOf(
      { ...options, letters, filters },
      { replay, signal },
    );
    let lastAt = clock.monotonic();
    for await (const chunk of chunks) {
      const now = clock.monotonic();
      const of = { replay, lastMs: now - lastAt, signal };
      lastAt = now;
      if (!(await sendChunk(options, of, chunk))) return false;
      if (isWanted() && clock.monotonic() >= until) return true;
    }
    signal.throwIfAborted();
    const finished = runningOf(options, id);
    if (finished !== undefined) await options.finished(finished);
    await store.done(id);
    return false;
  } finally {
    await letters.stop();
  }
}

/** Resolves to false where the replay is no longer running. */
async function untilItsTurn(
  options: ReplayRunOptions,
  id: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { store, hasRun } = options;
  for (;;) {
    signal.throwIfAborted();
    const replay = runningOf(options, id);
    if (replay === undefined) return false;
    const all = store.all();
    const first = waitsFor(replay, all)[0] ?? endedLately(replay, all, hasRun);
    if (first === undefined) return true;
    await store.note(id, waitText(first));
    await sleep(options.lookEveryMs ?? 1_000, { signal });
  }
}

/** One that was stopped while its run was sending: what the run has handed over is not in `deliveries` yet. */
function endedLately(
  replay: Replay,
  all: readonly Replay[],
  hasRun: (id: string) => boolean,
): Replay | undefined {
  return all.find(
    (other) =>
      other.id !== replay.id && other.state === "cancelled" && hasRun(other.id),
  );
}

function waitText({ id, state }: Replay): string {
  return state === "paused"
    ? `waits for replay ${id}, which may send the same and is paused: resume or cancel that one`
    : `waits for replay ${id}, which may send the same`;
}

function runningOf(
  { store }: Pick<ReplayRunOptions, "store">,
  id: string,
): Replay | undefined {
  const replay = store.get(id);
  return replay?.state === "running" ? replay : undefined;
}

/** Resolves to false where the replay is no longer running. */
async function sendChunk(
  options: ReplayRunOptions,
  {
    replay,
    lastMs,
    signal,
  }: {
    readonly replay: Replay;
    /** From the last chunk to this one, ms. */
    readonly lastMs: number;
    readonly signal: AbortSignal;
  },
  chunk: Chunk,
): Promise<boolean> {
  const { store, clock } = options;
  await untilLeased(options, signal);
  if (runningOf(options, replay.id) === undefined) return false;
  const startedAt = clock.monotonic();
  const sends = chunk.judged.flatMap(({ fate }) =>
    fate.kind === "send" ? [fate] : [],
  );
  const dueMs = (sends.length / replay.ratePerSecond) * 1_000;
  const overMs = Math.max(dueMs, Math.min(lastMs / 2, MOST_SPREAD_MS));
  await bitByBit(sends, { ...options, overMs, signal }, (bit) =>
    allSent(bit.map(({ record, source }) => options.send(record, source))),
  );
  const stored = await store.checkpoint(replay.id, ...progressOf(chunk));
  if (stored?.state !== "running") return false;
  await sleep(Math.max(0, dueMs - (clock.monotonic() - startedAt)), { signal });
  return true;
}

/** Ends only once all have: who waits for the run's end relies on it that nothing is handed over any more. Rejects if one was not sent. */
async function allSent(sends: readonly Promise<void>[]): Promise<void> {
  for (const sent of await Promise.allSettled(sends))
    if (sent.status === "rejected") throw sent.reason;
}

function progressOf({ judged, place }: Chunk): [Progress, LeftOut[]] {
  const lacking: LeftOut[] = [];
  const leftOut = new Map<LeftOutReason, number>();
  let sent = 0;
  for (const { candidate, fate } of judged) {
    if (fate.kind !== "leave") {
      sent += 1;
      continue;
    }
    const { reason } = fate;
    const { tenantId, eventId, endpointId } = candidate;
    leftOut.set(reason, (leftOut.get(reason) ?? 0) + 1);
    if (isLacking(reason))
      lacking.push({ tenantId, eventId, endpointId, reason });
  }
  return [{ place, sent, leftOut }, lacking];
}
