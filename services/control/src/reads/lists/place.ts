/** Where a page ended, and so where the next one begins. Callers get it as an opaque text, `nextCursor`. */
import type { EpochMs } from "@postrider/core";
import { invalid } from "@postrider/http";
import { z } from "zod";

/** The rest of a list that goes from new to old. A place stays valid while rows are added, because it names the last row and not its number. */
export interface Place {
  /** The rows of this millisecond and before. */
  readonly upTo: EpochMs;
  /** Of the rows of that millisecond only those before this one, by the list's further columns of order; null: all of them. */
  readonly before: readonly (string | number)[] | null;
  /** How much time the last page covered: the next one is looked for in as much. Ms. */
  readonly spanMs: number;
}

/** A column by which rows of the same millisecond are ordered. */
export interface OrderColumn {
  readonly column: string;
  readonly type: "String" | "Int64";
}

const MAX_MS = 8_640_000_000_000_000;

const placeOf = z.tuple([
  z.string(),
  z.number().int().min(-MAX_MS).max(MAX_MS),
  z.number().int().min(1).max(MAX_MS),
  z.array(z.union([z.string(), z.number().int()])).nullable(),
]);

export function cursorOf(list: string, place: Place): string {
  const { upTo, spanMs, before } = place;
  return Buffer.from(JSON.stringify([list, upTo, spanMs, before])).toString(
    "base64url",
  );
}

/** Throws a `ProblemError` for a text that `cursorOf` did not make of this list. */
export function readCursor(
  list: string,
  {
    cursor,
    orderedBy,
  }: { readonly cursor: string; readonly orderedBy: readonly OrderColumn[] },
): Place {
  const parsed = placeOf.safeParse(jsonOf(cursor));
  if (parsed.success) {
    const [of, upTo, spanMs, before] = parsed.data;
    if (of === list && (before === null || fits(before, orderedBy)))
      return { upTo, spanMs, before };
  }
  throw invalid([
    {
      field: "cursor",
      rule: "cursor",
      message: "is not a nextCursor of this list",
    },
  ]);
}

function fits(
  before: readonly (string | number)[],
  orderedBy: readonly OrderColumn[],
): boolean {
  return (
    before.length === orderedBy.length &&
    orderedBy.every(
      ({ type }, at) =>
        typeof before[at] === (type === "String" ? "string" : "number"),
    )
  );
}

function jsonOf(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}
