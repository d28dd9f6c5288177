/** What more than one case judges beside the invariants. */
import {
  placeOf,
  replayRunner,
  type Evidence,
  type RunnerEntry,
} from "@postrider/testkit";

/** Nothing was cut off, so nothing is repeated: no record done twice, no request made twice. */
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

/** While a commit is due for a second nothing is started, so a process that is killed leaves hardly anything older unsaid. */
const OLDEST_UNSAID_MS = 1_500;

/** A killed process' completions that no commit said were young. Only for runs in which the broker is well, and nobody frozen. */
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
    if (ageMs > OLDEST_UNSAID_MS)
      yield `${place} was done ${ageMs} ms before the end of its process, and no commit said so`;
  }
}
