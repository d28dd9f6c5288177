/** Where a batch partition begins after an assignment, computed from the stored commit and the log's range. Pure. */
import { decodeIntent, rangeIn } from "./intent-metadata.ts";
import type { Intent } from "./intent-metadata.ts";

export interface BatchStart {
  /** Every record below it is recorded or lost. Fetching begins here. */
  readonly base: number;
  /** The batch to insert again under its own token, or null. */
  readonly intent: Intent | null;
  /** Faults that are logged as errors, for the operator. */
  readonly faults: readonly StartFault[];
}

export type StartFault =
  /** Retention deleted records before they were recorded: at most `lost`, fewer if the intent had been inserted. */
  | {
      readonly kind: "below_start";
      readonly committed: number;
      readonly start: number;
      readonly lost: number;
    }
  /** The log ends before the committed offset: the topic was made anew, or an unclean election cut it. We go on at its end; from its start every record would be recorded again. */
  | {
      readonly kind: "beyond_end";
      readonly committed: number;
      readonly end: number;
    }
  /** The log ends within the intent: an unclean election cut it. */
  | {
      readonly kind: "intent_cut";
      readonly intent: Intent;
      readonly end: number;
    }
  /** The metadata is not ours, of a newer version, or for another offset or partition. If it held an intent, that is not repeated. */
  | { readonly kind: "metadata_unreadable"; readonly metadata: string };

/**
 * Plans the start. If retention has deleted a part of the intent's range, the rest is inserted under the intent's own token. This is
 * right in each case:
 *
 * - The range was inserted before the crash: the table drops the rest, because it knows the token.
 * - It was not inserted: the rest is inserted once.
 * - It was inserted into some of the table's parts only: the table skips those parts, and the others get the rest.
 *
 * Leaving the rest out would lose rows in the second case; a new token would store them twice in the first.
 */
export function planBatchStart(
  partition: number,
  committed: { readonly offset: number | null; readonly metadata: string },
  log: { readonly start: number; readonly end: number },
): BatchStart {
  if (committed.offset === null) return at(log.start, []);
  if (committed.offset > log.end)
    return at(log.end, [
      { kind: "beyond_end", committed: committed.offset, end: log.end },
    ]);

  const faults: StartFault[] = [];
  const base = Math.max(committed.offset, log.start);
  if (base > committed.offset)
    faults.push({
      kind: "below_start",
      committed: committed.offset,
      start: log.start,
      lost: log.start - committed.offset,
    });
  const stored = decodeIntent(committed.metadata, partition);
  if (stored.kind === "none") return at(base, faults);
  const range =
    stored.kind === "intent" ? rangeIn(stored.intent, partition) : undefined;
  if (
    stored.kind === "unreadable" ||
    range === undefined ||
    range.first < committed.offset
  )
    return at(base, [
      ...faults,
      { kind: "metadata_unreadable", metadata: committed.metadata },
    ]);

  const { intent } = stored;
  const intentEnd = Math.min(range.last, log.end - 1);
  if (intentEnd < range.last)
    faults.push({ kind: "intent_cut", intent, end: log.end });
  if (intentEnd < base) return at(base, faults); // the log has nothing of the range any more
  return { base, intent, faults };
}

function at(base: number, faults: readonly StartFault[]): BatchStart {
  return { base, intent: null, faults };
}
