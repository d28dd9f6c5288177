import { isEventType } from "@postrider/core";
import { eventTypeProblems, TYPE_LEVELS } from "@postrider/event-types";
import { invalid } from "@postrider/http";
import { z } from "zod";
import { pageQuery } from "../http/page.ts";
import { printable, tenantId } from "../http/text-rules.ts";
import { problemsOf } from "../http/zod-problems.ts";
import type { EventTypeChange, EventTypeCreation } from "./event-type.ts";

const name = z
  .string()
  .refine(isEventType, {
    params: { rule: "type" },
    message: "must be dotted words of A-Z a-z 0-9 _ -, at most 256 characters",
  })
  .meta({ description: "As events carry it", examples: ["order.paid"] });

const description = printable.max(1024).meta({ description: "For people" });

/** Judged by the package that checks payloads, as a whole. */
const schema = z.unknown().meta({
  description:
    "JSON Schema of the payload, draft 2020-12, at most 64 KiB; null: none",
});
const example = z.unknown().meta({
  description:
    "A payload that satisfies the schema, at most 64 KiB; null: none",
});

const ofTenant = tenantId.nullable().meta({
  description: "The one tenant whose type it is; null: all",
});

export const eventTypeCreation = z.strictObject({
  name,
  tenantId: ofTenant.default(null),
  description: description.default(""),
  schema: schema.default(null),
  example: example.default(null),
});

export const eventTypeChange = z
  .strictObject({ description, schema, example })
  .partial();

/** Throws a `ProblemError` that names each wrong field. */
export function parseEventTypeCreation(body: unknown): EventTypeCreation {
  const parsed = eventTypeCreation.safeParse(body);
  if (!parsed.success) throw invalid(problemsOf(parsed.error));
  requireSound(parsed.data);
  return parsed.data;
}

/** Throws as above; an empty change is refused, too. */
export function parseEventTypeChange(body: unknown): EventTypeChange {
  const parsed = eventTypeChange.safeParse(body);
  if (!parsed.success) throw invalid(problemsOf(parsed.error));
  if (Object.keys(parsed.data).length > 0) {
    const { schema = null, example = null } = parsed.data;
    requireSound({ schema, example });
    return parsed.data;
  }
  const message = "must change at least one field";
  throw invalid([{ field: "body", rule: "required", message }]);
}

/** Throws a `ProblemError` for a schema that is not one or is too much, and for an example that does not satisfy it. */
export function requireSound(type: {
  readonly schema: unknown;
  readonly example: unknown;
}): void {
  const problems = eventTypeProblems(type);
  if (problems.length > 0) throw invalid(problems);
}

export const typeListQuery = z.strictObject({
  tenantId: tenantId.optional().meta({
    description: "This tenant's types, and those of every tenant",
  }),
  ...pageQuery,
});

export const typeQuery = z.strictObject({
  tenantId: tenantId.optional().meta({
    description: "Whose type it is; left out: every tenant's",
  }),
});

export const policyChange = z.strictObject({
  level: z.enum(TYPE_LEVELS).meta({
    description:
      "`off`; `known`: the type must be in the catalogue; `schema`: the payload must satisfy its schema, too",
  }),
});

export function parseAs<S extends z.ZodType>(
  of: S,
  given: unknown,
): z.infer<S> {
  const parsed = of.safeParse(given);
  if (!parsed.success) throw invalid(problemsOf(parsed.error));
  return parsed.data;
}

export const policyParams = z.strictObject({ tenantId });

export const policyListQuery = z.strictObject({
  tenantId: tenantId.optional(),
  ...pageQuery,
});
