/** Pages of a list that is in memory, in the order of creation. */
import { z } from "zod";

/** A position in the order of creation. It stays valid when others are created or deleted in between. */
export interface Place {
  readonly createdAt: number;
  readonly id: string;
}

export interface Page<T> {
  readonly page: readonly T[];
  /** Asks for the next page; null on the last page. */
  readonly nextCursor: string | null;
}

const cursor = z
  .string()
  .meta({ description: "The `nextCursor` of the page before" })
  .transform((text, context): Place => {
    const decoded = Buffer.from(text, "base64url").toString("utf8");
    const match = /^(\d{1,16})\/(.{1,384})$/.exec(decoded);
    if (match?.[1] !== undefined && match[2] !== undefined)
      return { createdAt: Number(match[1]), id: match[2] };
    context.addIssue({
      code: "custom",
      params: { rule: "cursor" },
      message: "is not a nextCursor of this list",
    });
    return z.NEVER;
  });

/** The query parameters of every list. */
export const pageQuery = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(100)
    .meta({ description: "How many at most" }),
  cursor: cursor.optional(),
};

/** Oldest first, or newest first. */
export function pageOf<T extends Place>(
  wanted: Iterable<T>,
  query: { readonly limit: number; readonly cursor?: Place | undefined },
  order: "oldest" | "newest" = "oldest",
): Page<T> {
  const after = query.cursor;
  const compare =
    order === "oldest" ? byPlace : (a: Place, b: Place) => byPlace(b, a);
  const rest = [...wanted]
    .filter((one) => after === undefined || compare(one, after) > 0)
    .sort(compare);
  const page = rest.slice(0, query.limit);
  const last = page.at(-1);
  return {
    page,
    nextCursor:
      last !== undefined && rest.length > page.length ? cursorOf(last) : null,
  };
}

function byPlace(a: Place, b: Place): number {
  if (a.createdAt !== b.createdAt) return a.createdAt - b.createdAt;
  return a.id < b.id ? -1 : Number(a.id > b.id);
}

function cursorOf({ createdAt, id }: Place): string {
  return Buffer.from(`${createdAt}/${id}`).toString("base64url");
}
