/** Checks that several cases make besides the invariants. */
import {
  placeOf,
  replayRunner,
  type Evidence,
  type RunnerEntry,
} from "@postrider/testkit";
import { GONE } from "./endpoints.ts";

/** For faults that cut nothing off: no record may be completed twice and no request made twice. */
export function* nothingRepeated(evidence: Evidence): Iterable<string> {
  const { repeated } = replayRunner(evidence.runner);
  if (repeated.size > 0) yield `${repeated.size} records were done again`;
  const seen = new Set<string>();
  for (const {
    deliveryId,
    step,
    attemptNumber,
    worker,
    startedAt,
  } of evidence.attempts) {
    if (attemptNumber === 0) continue;
    seen.add(`${deliveryId} ${step} ${worker} ${startedAt}`);
  }
  if (evidence.received.length > seen.size)
    yield `${evidence.received.length} requests for ${seen.size} attempts`;
}

/** For a load with SIGNALS: without them, the table of signals would be judged by nothing. */
export function* signalsMade({ tables }: Evidence): Iterable<string> {
  const made = tables.find(({ table }) => table === "signals")?.records ?? 0;
  if (made < GONE.length) yield `only ${made} signals were made`;
}

/** No request starts once a commit is a second late. So when a process is killed, hardly any completion older than this is uncommitted; the rest is for a commit that a busy machine delays. */
const OLDEST_UNCOMMITTED_MS = 3_000;

/** Completions of a killed process that no commit covered must be recent. Only for runs in which the broker works and no process is frozen. */
export function* commitsPrompt({ runner }: Evidence): Iterable<string> {
  const lastAt = new Map<number, number>();
  for (const { pid, at } of runner) lastAt.set(pid, at);
  const first = new Map<string, RunnerEntry>();
  for (const entry of runner) {
    if (entry.kind !== "completed") continue;
    const place = placeOf(entry);
    const before = first.get(place);
    first.set(place, entry);
    if (before === undefined) continue;
    const ageMs = (lastAt.get(before.pid) ?? 0) - before.at;
    if (ageMs > OLDEST_UNCOMMITTED_MS)
      yield `${place} was done ${ageMs} ms before the end of its process, and no commit said so`;
  }
}
