/**
 * Replays what the deliver runner recorded about offsets. A commit may cover only offsets that are done, and an offset that
 * an acknowledged commit covers is never done again. An offset that is done again although no commit covered it is a repeat
 * that a fault can explain.
 */
import { decodeOffsetMetadata } from "@postrider/messaging";
import type { DeliveryPlace, Interruption } from "./evidence.ts";
import type { CommittedEntry, ReceivedEntry, RunnerEntry } from "./ledger.ts";

export interface RunnerReplay {
  /** By `placeOf`: how often the offset was completed again while no commit covered it. */
  readonly repeated: ReadonlyMap<string, number>;
  /** By `placeOf`: when the offset was last completed, epoch ms. */
  readonly completedAt: ReadonlyMap<string, number>;
  /** Offsets that a commit covered before they were done. */
  readonly passed: readonly string[];
  /** Offsets that were done again after an acknowledged commit had covered them. */
  readonly ignored: readonly string[];
  /** The time from each completion to the acknowledged commit that covers it, in ms, ascending. */
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
  /** Done offsets that no commit covers yet, with the time of their completion. */
  readonly uncovered: Map<number, number>;
  /** Every offset below this was checked, except those in `unchecked`, which were open. */
  checked: number;
  unchecked: Set<number>;
  stored: Stored;
  /** The pid of the process that wrote the stored commit. */
  storedBy: number;
  /** The processes that wrote entries of this partition, in the order of their first entry. */
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
      if (isCovered(state.stored, entry.offset) && !isLate(state, entry.pid))
        ignored.push(place);
      else if (state.done.has(entry.offset))
        repeated.set(place, (repeated.get(place) ?? 0) + 1);
      const { offset: first, lastOffset = first } = entry;
      for (let offset = first; offset <= lastOffset; offset++)
        state.done.add(offset);
      if (!state.uncovered.has(entry.offset))
        state.uncovered.set(entry.offset, entry.at);
      completedAt.set(place, entry.at);
      continue;
    }
    state.stored = storedBy(entry);
    state.storedBy = entry.pid;
    for (const offset of wronglyCovered(state))
      passed.push(placeOf({ ...entry, offset }));
    for (const [offset, at] of state.uncovered)
      if (isCovered(state.stored, offset)) {
        commitAgesMs.push(entry.at - at);
        state.uncovered.delete(offset);
      }
  }
  commitAgesMs.sort((a, b) => a - b);
  return { repeated, completedAt, passed, ignored, commitAgesMs };
}

function fresh(offset: number): PartitionState {
  return {
    done: new Set(),
    uncovered: new Map(),
    // The log of a run begins at 0. If a case has cut it, checking starts at the first offset that was seen.
    checked: Math.min(offset, 0),
    unchecked: new Set(),
    stored: { base: 0, next: 0, open: new Set() },
    storedBy: 0,
    pids: new Set(),
  };
}

/** True for a process that finishes old work after a newer process took over and committed: it does not know that yet. */
function isLate({ storedBy, pids }: PartitionState, pid: number): boolean {
  const ages = [...pids];
  return pid !== storedBy && ages.indexOf(pid) < ages.indexOf(storedBy);
}

function isCovered({ base, next, open }: Stored, offset: number): boolean {
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

/** The offsets that the stored commit covers although they are not done; each is reported once. */
function* wronglyCovered(state: PartitionState): Iterable<number> {
  const { stored, done } = state;
  const unchecked = new Set<number>();
  const look = function* (offset: number): Iterable<number> {
    if (!isCovered(stored, offset)) unchecked.add(offset);
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
 * `deliveryId#step` → how many extra times, beyond the first, faults may have made that attempt. One for each time that it was done
 * again while no commit covered it, and one for each interruption that cut it off: one before whose end it had been sent.
 */
export function explainedRepeats(evidence: {
  readonly deliveries: readonly DeliveryPlace[];
  readonly received: readonly ReceivedEntry[];
  readonly interruptions: readonly Interruption[];
  readonly replay: RunnerReplay;
}): Map<string, number> {
  const { deliveries, received, interruptions, replay } = evidence;
  // The time that the sender signed, in whole seconds. The receiver's time is not used: a busy receiver may be seconds later.
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
