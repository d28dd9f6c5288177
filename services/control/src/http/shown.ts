/** What the schemas of answers are made of. Their types are those of the values that the routes return. */
import { z } from "zod";

export function listOf<S extends z.ZodType>(schema: S) {
  return z.array(schema).readonly();
}

/** RFC 3339 (rfc3339.ts). */
export const shownTime = z.iso.datetime();

export const nextCursor = z.string().nullable().meta({
  description: "Asks for the next page as `cursor`; null on the last page",
});

/** A text of a closed list, where the value's own type is a text. */
export function oneOf(choices: readonly string[]) {
  return z.string().meta({ enum: [...choices] });
}

/** A part of a path. */
export function idOf(what: string, example: string) {
  return z.strictObject({
    id: z
      .string()
      .meta({ description: `Id of the ${what}`, examples: [example] }),
  });
}

export const auditReason = {
  "x-audit-reason": z.string().max(500).optional().meta({
    description: "Why, for the audit trail: UTF-8 without control characters",
  }),
};
