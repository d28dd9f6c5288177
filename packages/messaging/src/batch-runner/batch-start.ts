/** Where a batch partition begins after an assignment: from what the group stores and what the log still holds. Pure. */
import { decodeIntent } from "./intent-metadata.ts";
import type { Intent } from "./intent-metadata.ts";

export interface BatchStart {
  /** Everything below is recorded or lost; fetching begins here. */
  readonly base: number;
  /** The range to insert again, under its own token; its records at and above `base`, up to `intentEnd`. */
  readonly intent: Intent | null;
  /** The last offset of the intent that the log can still give. */
  readonly intentEnd: number;
  /** What an operator must hear of. */
  readonly faults: readonly StartFault[];
}

export type StartFault =
  /** Retention deleted records before they were recorded: at most `lost`, fewer where the intent had been inserted. */
  | {
      readonly kind: "below_start";
      readonly committed: number;
      readonly start: number;
      readonly lost: number;
    }
  /** The log ends before the committed offset: the topic was made anew, or an unclean election cut it. We go on at the end, never at the beginning. */
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
  /** The metadata is not ours, of a newer version, or of another offset: an intent, if there was one, is not known. */
  | { readonly kind: "metadata_unreadable"; readonly metadata: string };

/**
 * If retention has taken part of an intent, what is left is inserted under the intent's own token, and that is right in each case:
 * the range was inserted before the crash (the token drops what is left), it never was (what is left is inserted once), or it was in
 * some of the table's parts only (the token skips those and the others get what is left). Leaving the rest out, or giving it a new
 * token, would lose rows in the second case or double them in the first.
 */
export function planBatchStart(
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
  const stored = decodeIntent(committed.metadata);
  if (stored.kind === "none") return at(base, faults);
  if (stored.kind === "unreadable" || stored.intent.first < committed.offset)
    return at(base, [
      ...faults,
      { kind: "metadata_unreadable", metadata: committed.metadata },
    ]);

  const { intent } = stored;
  const intentEnd = Math.min(intent.last, log.end - 1);
  if (intentEnd < intent.last)
    faults.push({ kind: "intent_cut", intent, end: log.end });
  if (intentEnd < base) return at(base, faults); // nothing of it is left
  return { base, intent, intentEnd, faults };
}

function at(base: number, faults: readonly StartFault[]): BatchStart {
  return { base, intent: null, intentEnd: -1, faults };
}
