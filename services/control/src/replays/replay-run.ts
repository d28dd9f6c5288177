/**
 * One run of a replay: reads the selection page by page, sends each past delivery again, paced, and stores after each chunk how far it
 * got. A run that is cut off is repeated from its last checkpoint.
 *
 * Why nothing is sent twice: a page leaves out what has another delivery that was delivered or waits, and passes over what has a
 * delivery of this replay. Both are read from ClickHouse, so before its first page a run waits until (1) no earlier replay that may
 * send the same is unfinished or still has a run in this process, and (2) ClickHouse shows everything that was sent until then
 * (recorded.ts). What a process that was cut off handed over later than that has the same delivery id and step, and deliver drops it.
 */
import type {
  Endpoint,
  MonotonicMs,
  Replay,
  ReplayPlace,
} from "@postrider/core";
import type { OutRecord, RawRecord } from "@postrider/messaging";
import { sleep } from "@postrider/runtime";
import type { LetterReading } from "../letters/letter-reading.ts";
import { untilLeased, type Lease } from "../writer/lease.ts";
import type { InSlot } from "../writer/slots.ts";
import type { Candidate } from "./candidate.ts";
import { fateOf, type Fate, type FateContext } from "./fate.ts";
import type { LetterLog } from "./letter-log.ts";
import type { PastDeliveries } from "./past-deliveries.ts";
import { untilRecorded, type Offsets } from "./recorded.ts";
import {
  isLacking,
  waitsFor,
  type LeftOutReason,
  type Progress,
} from "./replay.ts";
import type { LeftOut, ReplayStore } from "./replay-store.ts";

/** Units that one page holds at most. */
const PAGE_UNITS = 500;
/** The most deliveries between two checkpoints: their dead letters are in memory together. */
const MAX_CHUNK = 100;
/** How long a run works while others wait for its slot. Beginning costs about a second, because the reader joins a group. */
const SLOT_MS = 10_000;
/** The payloads of a chunk have so many bytes, or a little more. */
const MAX_CHUNK_BYTES = 4 * 1_048_576;
/** How many dead letters are fetched at the same time. */
const READERS = 8;

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

/** Works off pages until the replay is no longer running, or others are to work now; resolves to true only then. */
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
  const mustYield = (): boolean => isWanted() && clock.monotonic() >= until;
  const letters = await options.openLetters(signal);
  try {
    for (;;) {
      signal.throwIfAborted();
      const replay = runningOf(options, id);
      if (replay === undefined) return false;
      const page = await options.past.page(replay, replay.place, PAGE_UNITS);
      if (page.upTo === null) {
        await store.done(id);
        return false;
      }
      const of = { replay, page, signal, mustYield };
      if (!(await sendPage({ ...options, letters }, of)) && mustYield())
        return true;
    }
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

type SendOptions = ReplayRunOptions & { readonly letters: LetterLog };

interface OfPage extends FateContext {
  readonly mustYield: () => boolean;
}

/** Resolves to false once the replay was stopped, and where others are to work before the page was worked off. */
async function sendPage(options: SendOptions, of: OfPage): Promise<boolean> {
  const { replay, page } = of;
  const { candidates, upTo } = page;
  const size = Math.max(
    1,
    Math.min(MAX_CHUNK, Math.ceil(replay.ratePerSecond / 2)),
  );
  let at = 0;
  do {
    const startedAt = options.clock.monotonic();
    const chunk = await judgedOf(options, of, candidates.slice(at, at + size));
    at += chunk.length;
    const last = chunk.at(-1)?.candidate;
    const isEnd = at >= candidates.length;
    const place = isEnd || last === undefined ? upTo! : placeOf(last); // a page without an end is not sent
    const isOn = await sendChunk(options, of, { chunk, place, startedAt });
    if (!isOn || of.mustYield()) return false;
  } while (at < candidates.length);
  return true;
}

interface Judged {
  readonly candidate: Candidate;
  readonly fate: Fate;
}

/** What becomes of these candidates, or of the first of them that have `MAX_CHUNK_BYTES` together. A few are read at a time. */
async function judgedOf(
  options: SendOptions,
  of: OfPage,
  candidates: readonly Candidate[],
): Promise<Judged[]> {
  const judged: Judged[] = [];
  let bytes = 0;
  while (judged.length < candidates.length && bytes < MAX_CHUNK_BYTES) {
    const next = candidates.slice(judged.length, judged.length + READERS);
    const fates = await Promise.all(
      next.map((candidate) => fateOf(options, of, candidate)),
    );
    for (const [at, fate] of fates.entries()) {
      judged.push({ candidate: next[at]!, fate });
      bytes += fate.kind === "send" ? fate.payloadBytes : 0;
    }
  }
  return judged;
}

interface Chunk {
  readonly chunk: readonly Judged[];
  /** Up to where the selection is worked off after this chunk. */
  readonly place: ReplayPlace;
  readonly startedAt: MonotonicMs;
}

async function sendChunk(
  options: SendOptions,
  of: OfPage,
  { chunk, place, startedAt }: Chunk,
): Promise<boolean> {
  const { store, clock } = options;
  const { replay, signal } = of;
  await untilLeased(options, signal);
  if (runningOf(options, replay.id) === undefined) return false;
  const sends = chunk.flatMap(({ fate }) =>
    fate.kind === "send" ? [fate] : [],
  );
  await allSent(
    sends.map(({ record, source }) => options.send(record, source)),
  );
  const stored = await store.checkpoint(replay.id, ...progressOf(chunk, place));
  if (stored?.state !== "running") return false;
  const dueMs = (sends.length / replay.ratePerSecond) * 1_000;
  await sleep(Math.max(0, dueMs - (clock.monotonic() - startedAt)), { signal });
  return true;
}

/** Ends only once all have: who waits for the run's end relies on it that nothing is handed over any more. Rejects if one was not sent. */
async function allSent(sends: readonly Promise<void>[]): Promise<void> {
  for (const sent of await Promise.allSettled(sends))
    if (sent.status === "rejected") throw sent.reason;
}

function progressOf(
  chunk: readonly Judged[],
  place: ReplayPlace,
): [Progress, LeftOut[]] {
  const lacking: LeftOut[] = [];
  const leftOut = new Map<LeftOutReason, number>();
  let sent = 0;
  for (const { candidate, fate } of chunk) {
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

function placeOf({
  tenantId,
  receivedAt,
  eventId,
  endpointId,
}: Candidate): ReplayPlace {
  return { tenantId, receivedAt, eventId, endpointId };
}
