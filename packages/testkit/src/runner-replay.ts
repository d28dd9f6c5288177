/**
 * Replays what the deliver runner wrote about offsets: a commit may only say what was done, and what an acknowledged commit
 * says is never done again. What was done again although no commit said it is what a fault explains.
 */
import { decodeOffsetMetadata } from "@postrider/messaging";
import type { DeliveryPlace, Interruption } from "./evidence.ts";
import type { CommittedEntry, ReceivedEntry, RunnerEntry } from "./ledger.ts";

export interface RunnerReplay {
  /** By `placeOf`: how often it was completed again, covered by no commit. */
  readonly repeated: ReadonlyMap<string, number>;
  /** By `placeOf`: the last completion, epoch ms. */
  readonly completedAt: ReadonlyMap<string, number>;
  /** Offsets that a commit called done before anybody had done them. */
  readonly passed: readonly string[];
  /** Offsets done again after a commit that said so was acknowledged. */
  readonly ignored: readonly string[];
  /** From a completion to the acknowledged commit that says so, ms, ascending. */
  readonly commitAgesMs: readonly number[];
}

export function placeOf(at: {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}): string {
  return `${at.topic}/${at.partition}@${at.offset}`;
}

interface Stored {
  readonly base: number;
  readonly next: number;
  readonly open: ReadonlySet<number>;
}

interface PartitionState {
  readonly done: Set<number>;
  /** Done, and said by no commit yet; with the time. */
  readonly unsaid: Map<number, number>;
  /** Offsets below this were checked, but for the open ones. */
  checked: number;
  unchecked: Set<number>;
  stored: Stored;
  /** Who wrote it. */
  storedBy: number;
  /** Processes that wrote of this partition, the oldest first. */
  readonly pids: Set<number>;
}

export function replayRunner(entries: readonly RunnerEntry[]): RunnerReplay {
  const repeated = new Map<string, number>();
  const completedAt = new Map<string, number>();
  const passed: string[] = [];
  const ignored: string[] = [];
  const commitAgesMs: number[] = [];
  const partitions = new Map<string, PartitionState>();

  for (const entry of entries) {
    const name = `${entry.topic}/${entry.partition}`;
    const state = partitions.get(name) ?? fresh(entry.offset);
    partitions.set(name, state);
    state.pids.add(entry.pid);
    if (entry.kind === "completed") {
      const place = placeOf(entry);
      if (isSaid(state.stored, entry.offset) && !isLate(state, entry.pid))
        ignored.push(place);
      else if (state.done.has(entry.offset))
        repeated.set(place, (repeated.get(place) ?? 0) + 1);
      const { offset: first, lastOffset = first } = entry;
      for (let offset = first; offset <= lastOffset; offset++)
        state.done.add(offset);
      if (!state.unsaid.has(entry.offset))
        state.unsaid.set(entry.offset, entry.at);
      completedAt.set(place, entry.at);
      continue;
    }
    state.stored = storedBy(entry);
    state.storedBy = entry.pid;
    for (const offset of wronglySaid(state))
      passed.push(placeOf({ ...entry, offset }));
    for (const [offset, at] of state.unsaid)
      if (isSaid(state.stored, offset)) {
        commitAgesMs.push(entry.at - at);
        state.unsaid.delete(offset);
      }
  }
  commitAgesMs.sort((a, b) => a - b);
  return { repeated, completedAt, passed, ignored, commitAgesMs };
}

function fresh(offset: number): PartitionState {
  return {
    done: new Set(),
    unsaid: new Map(),
    // The log of a run begins at 0; where a case cuts it, at what was seen first.
    checked: Math.min(offset, 0),
    unchecked: new Set(),
    stored: { base: 0, next: 0, open: new Set() },
    storedBy: 0,
    pids: new Set(),
  };
}

/** It finishes what it began before a younger process took over: it does not know yet, and asked nobody. */
function isLate({ storedBy, pids }: PartitionState, pid: number): boolean {
  const ages = [...pids];
  return pid !== storedBy && ages.indexOf(pid) < ages.indexOf(storedBy);
}

function isSaid({ base, next, open }: Stored, offset: number): boolean {
  return offset < base || (offset < next && !open.has(offset));
}

function storedBy({ offset: base, metadata }: CommittedEntry): Stored {
  const decoded = decodeOffsetMetadata(metadata, base);
  const open = new Set<number>();
  const runs = decoded?.runs ?? [];
  for (let i = 0; i < runs.length; i += 2)
    for (let at = 0; at < runs[i + 1]!; at++) open.add(runs[i]! + at);
  return { base, next: decoded?.next ?? base, open };
}

/** What the stored commit says and nobody did; each offset is told once. */
function* wronglySaid(state: PartitionState): Iterable<number> {
  const { stored, done } = state;
  const unchecked = new Set<number>();
  const look = function* (offset: number): Iterable<number> {
    if (!isSaid(stored, offset)) unchecked.add(offset);
    else if (!done.has(offset)) yield offset;
  };
  for (const offset of state.unchecked) yield* look(offset);
  for (let offset = state.checked; offset < stored.next; offset++)
    yield* look(offset);
  state.checked = Math.max(state.checked, stored.next);
  state.unchecked = unchecked;
}

const SECOND_MS = 1000;

/**
 * `deliveryId#step` → how many times more than once a fault may have made that attempt: once for each time that it was done again
 * with no commit saying so, and once for each interruption that cut it off, which is one before whose end it had been sent.
 */
export function explainedRepeats(evidence: {
  readonly deliveries: readonly DeliveryPlace[];
  readonly received: readonly ReceivedEntry[];
  readonly interruptions: readonly Interruption[];
  readonly replay: RunnerReplay;
}): Map<string, number> {
  const { deliveries, received, interruptions, replay } = evidence;
  // By the sender's word, in whole seconds: a busy receiver may write of it seconds later.
  const sentAt = new Map<string, number[]>();
  for (const { webhookId, webhookTimestamp } of received) {
    const times = sentAt.get(webhookId) ?? [];
    times.push(Number(webhookTimestamp) * SECOND_MS);
    sentAt.set(webhookId, times);
  }
  const explained = new Map<string, number>();
  for (const record of deliveries) {
    const { timestamp, webhookId, deliveryId, step } = record;
    const place = placeOf(record);
    const endedAt = replay.completedAt.get(place) ?? Infinity;
    const cuts = interruptions.filter(
      ({ from, until }) =>
        from <= endedAt &&
        until >= timestamp &&
        sentAt
          .get(webhookId)
          ?.some((sent) => sent + SECOND_MS > timestamp && sent <= until),
    ).length;
    const times = cuts + (replay.repeated.get(place) ?? 0);
    if (times === 0) continue;
    const key = `${deliveryId}#${step}`;
    explained.set(key, (explained.get(key) ?? 0) + times);
  }
  return explained;
}
