import { parseTime, type EpochMs } from "@postrider/core";
import { invalid } from "@postrider/http";
import { duration } from "@postrider/runtime";
import { z } from "zod";
import { ofCallersTenant } from "../http/callers-tenant.ts";
import { pageQuery } from "../http/page.ts";
import { GIVEN_TIME, printable, tenantId } from "../http/text-rules.ts";
import { problemsOf } from "../http/zod-problems.ts";
import { ROLES, type KeyCreation } from "./api-key.ts";

const LONGEST_LIFE_MS = 3_650 * 24 * 60 * 60 * 1_000;

const expiresIn = z.string().transform((text, context): number => {
  try {
    const lifeMs = duration(text);
    if (lifeMs >= 1_000 && lifeMs <= LONGEST_LIFE_MS) return lifeMs;
  } catch {
    // Reported below, with the range.
  }
  context.addIssue({
    code: "custom",
    params: { rule: "duration" },
    message: "must be a duration from 1s to 3650d, such as 90d",
  });
  return z.NEVER;
});

const expiresAt = z
  .unknown()
  .transform((given, context): EpochMs => {
    const at = parseTime(given);
    if (at !== undefined) return at;
    context.addIssue({
      code: "custom",
      params: { rule: "time" },
      message: "must be an RFC 3339 time or epoch milliseconds",
    });
    return z.NEVER;
  })
  .meta(GIVEN_TIME);

export const keyCreation = z.strictObject({
  name: printable.min(1).max(128).meta({ description: "For people" }),
  role: z.enum(ROLES),
  tenantId: tenantId.nullable().default(null).meta({
    description: "The one tenant that it may see and change; null: all",
  }),
  expiresIn: expiresIn.optional().meta({
    description: "A duration from `1s` to `3650d`; not beside `expiresAt`",
  }),
  expiresAt: expiresAt.optional(),
  limitPerSecond: z
    .number()
    .min(0.001)
    .max(100_000)
    .optional()
    .meta({ description: "Requests to each process; default: no limit" }),
  limitBurst: z
    .int()
    .min(1)
    .max(100_000)
    .optional()
    .meta({ description: "At once after a rest; default: a second's worth" }),
});

/** Throws a `ProblemError` that names each wrong field. With a tenant of the caller's, the key gets that one. */
export function parseKeyCreation(
  body: unknown,
  callersTenant: string | null,
  now: EpochMs,
): KeyCreation {
  const parsed = keyCreation
    .superRefine(requireFit(now))
    .safeParse(ofCallersTenant(body, callersTenant));
  if (!parsed.success) throw invalid(problemsOf(parsed.error));
  const {
    name,
    role,
    expiresIn: lifeMs,
    limitPerSecond,
    ...given
  } = parsed.data;
  return {
    name,
    role,
    tenantId: given.tenantId,
    expiresAt: lifeMs === undefined ? (given.expiresAt ?? null) : now + lifeMs,
    limit:
      limitPerSecond === undefined
        ? null
        : {
            perSecond: limitPerSecond,
            burst: given.limitBurst ?? Math.max(1, Math.ceil(limitPerSecond)),
          },
  };
}

function requireFit(now: EpochMs) {
  return (
    given: z.infer<typeof keyCreation>,
    context: z.RefinementCtx,
  ): void => {
    const refuse = (field: string, rule: string, message: string): void =>
      context.addIssue({
        code: "custom",
        path: [field],
        params: { rule },
        message,
      });
    if (given.expiresIn !== undefined && given.expiresAt !== undefined)
      refuse("expiresAt", "one_of", "does not go with expiresIn");
    if (given.expiresAt !== undefined && given.expiresAt <= now)
      refuse("expiresAt", "future", "must lie in the future");
    if (given.limitBurst !== undefined && given.limitPerSecond === undefined)
      refuse("limitBurst", "alone", "needs limitPerSecond");
  };
}

export const keyListQuery = z.strictObject({
  tenantId: tenantId.optional(),
  ...pageQuery,
});
export type KeyListQuery = z.infer<typeof keyListQuery>;

/** Throws a `ProblemError` that names every invalid parameter. */
export function parseKeyListQuery(query: unknown): KeyListQuery {
  const parsed = keyListQuery.safeParse(query);
  if (!parsed.success) throw invalid(problemsOf(parsed.error));
  return parsed.data;
}
